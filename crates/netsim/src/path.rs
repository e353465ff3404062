//! What lies between two hosts.

use std::time::Duration;

/// A path, the same both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// One-way latency without queues.
    pub one_way: Duration,
    /// Up to this much more, drawn anew for each message; order is kept.
    pub jitter: Duration,
    /// Packets lost, in millionths.
    pub loss_ppm: u32,
    /// Largest number of bytes of one connection under way in one direction. Chromium's SCTP moves
    /// 5-7 MB/s at a round trip of 20 ms: about 128 KiB.
    pub window_bytes: u64,
    /// Bytes of headers each packet of up to `PACKET_BYTES` carries: IP, UDP, DTLS and SCTP are 85;
    /// IP, TCP and TLS about 60.
    pub header_bytes: u64,
}

/// Payload of one packet.
pub(crate) const PACKET_BYTES: u64 = 1200;
/// Window of a new connection: ten packets (RFC 6928).
pub(crate) const FIRST_WINDOW_BYTES: u64 = 10 * PACKET_BYTES;
/// The window never falls below one message of the largest usual size.
const WINDOW_BYTES_MIN: u64 = 16 * 1024;
/// Least time a lost packet costs on top of a round trip: the sender notices by three later ones.
const LOSS_NOTICE: Duration = Duration::from_millis(10);

impl Path {
    /// A data channel over this latency, without jitter or loss.
    pub const fn data_channel(one_way: Duration) -> Self {
        Self {
            one_way,
            jitter: Duration::ZERO,
            loss_ppm: 0,
            window_bytes: 128 * 1024,
            header_bytes: 85,
        }
    }

    /// An HTTPS connection over this latency, without jitter or loss.
    pub const fn https(one_way: Duration) -> Self {
        Self {
            one_way,
            jitter: Duration::ZERO,
            loss_ppm: 0,
            window_bytes: 2 * 1024 * 1024,
            header_bytes: 60,
        }
    }

    /// The same path with jitter and loss.
    pub const fn with_trouble(mut self, jitter: Duration, loss_ppm: u32) -> Self {
        self.jitter = jitter;
        self.loss_ppm = loss_ppm;
        self
    }

    /// There and back.
    pub fn round_trip(&self) -> Duration {
        self.one_way * 2
    }

    /// The window that loss leaves: 1.22 packets over the root of the loss rate (Mathis and others).
    pub(crate) fn window_bytes_max(&self) -> u64 {
        if self.loss_ppm == 0 {
            return self.window_bytes.max(WINDOW_BYTES_MIN);
        }
        let lossy = PACKET_BYTES * 1220 / u64::from(self.loss_ppm.isqrt().max(1));
        self.window_bytes.min(lossy).max(WINDOW_BYTES_MIN)
    }

    /// Bytes on the wire for a message.
    pub(crate) fn wire_bytes(&self, message_bytes: u64) -> u64 {
        message_bytes + self.header_bytes * packets(message_bytes)
    }

    /// Chance in millionths that a message loses a packet.
    pub(crate) fn message_loss_ppm(&self, message_bytes: u64) -> u64 {
        (u64::from(self.loss_ppm) * packets(message_bytes)).min(1_000_000)
    }

    /// What a lost packet costs its message and those behind it.
    pub(crate) fn loss_delay(&self) -> Duration {
        self.round_trip() + LOSS_NOTICE
    }
}

fn packets(message_bytes: u64) -> u64 {
    message_bytes.div_ceil(PACKET_BYTES).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_narrows_the_window() {
        let path = Path::data_channel(Duration::from_millis(20));
        assert_eq!(path.window_bytes_max(), 128 * 1024);
        let lossy = path.with_trouble(Duration::ZERO, 1_000);
        assert_eq!(lossy.window_bytes_max(), 1200 * 1220 / 31);
        let hopeless = path.with_trouble(Duration::ZERO, 100_000);
        assert_eq!(hopeless.window_bytes_max(), WINDOW_BYTES_MIN);
    }

    #[test]
    fn headers_are_paid_for_each_packet() {
        let path = Path::data_channel(Duration::ZERO);
        assert_eq!(path.wire_bytes(10), 95);
        assert_eq!(path.wire_bytes(16_384), 16_384 + 14 * 85);
    }
}
