//! Prices as people and programs write them, and where they are read.

use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// Decimals of a price.
const DECIMALS: usize = 8;
/// Highest price that is read: ten thousand million, with 8 decimals.
pub const PRICE_MAX: u64 = 1_000_000_000_000_000_000;
/// Longest reading, in bytes.
const READING_BYTES_MAX: u64 = 256;
/// How long a file or a command may take.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// A price with 8 decimals: more than nothing, at most [`PRICE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Other characters than digits and one point between them.
    #[error("expected digits and at most one point, like 1234.56")]
    Form,
    /// More decimals than a price has.
    #[error("expected at most {DECIMALS} decimals, found {0}")]
    Decimals(usize),
    /// Nothing is not a price.
    #[error("expected more than 0")]
    Zero,
    /// More than any price.
    #[error("expected at most {}", Price(PRICE_MAX))]
    TooHigh,
}

impl Price {
    /// With 8 decimals.
    pub const fn units(self) -> u64 {
        self.0
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(PriceError::Form),
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return Err(PriceError::Form);
        }
        if fraction.len() > DECIMALS {
            return Err(PriceError::Decimals(fraction.len()));
        }
        // Digits only: what does not parse is too many of them.
        let units: u64 =
            format!("{whole}{fraction:0<DECIMALS$}").parse().map_err(|_| PriceError::TooHigh)?;
        match units {
            0 => Err(PriceError::Zero),
            1..=PRICE_MAX => Ok(Self(units)),
            _ => Err(PriceError::TooHigh),
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / 100_000_000, self.0 % 100_000_000)
    }
}

/// Which readings are believed: between two prices, both included, and not older than some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Lowest; none: any.
    pub least: Option<Price>,
    /// Highest; none: any.
    pub most: Option<Price>,
    /// How long ago a file may have been written, in whole seconds; none: any time. What a command prints
    /// is of now.
    pub age_max: Option<Duration>,
}

/// Where prices are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that somebody writes anew.
    File(PathBuf),
    /// What a command of the system's shell prints.
    Command(String),
}

/// Why there is no price now.
#[derive(Debug, thiserror::Error)]
pub enum BadReading {
    /// The file can't be read, or the command not started.
    #[error("{what}: {source}")]
    Io {
        /// Of what.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The command failed.
    #[error("the command ended with {0}")]
    Failed(ExitStatus),
    /// It takes too long.
    #[error("no price within {} s", READ_WITHIN.as_secs())]
    Slow,
    /// It is longer than any price.
    #[error("expected a price, found more than {READING_BYTES_MAX} bytes")]
    Long,
    /// It is no price.
    #[error("{why}, found {text:?}")]
    Text {
        /// What was read.
        text: String,
        /// What is wrong with it.
        why: PriceError,
    },
    /// It is outside of what is believed.
    #[error("{price} is outside of {}", shown(*bounds))]
    Outside {
        /// What was read.
        price: Price,
        /// What is believed.
        bounds: Bounds,
    },
    /// The file was not written lately: whoever writes it may have stopped.
    #[error("the price was written {age_s} s ago, limit is {limit_s} s")]
    Old {
        /// Seconds since it was written; or until then, where the file's time is ahead.
        age_s: u64,
        /// Most that is believed.
        limit_s: u64,
    },
}

fn shown(bounds: Bounds) -> String {
    let shown =
        |bound: Option<Price>| bound.map_or_else(|| "any".to_owned(), |one| one.to_string());
    format!("{} to {}", shown(bounds.least), shown(bounds.most))
}

impl Source {
    /// The price now.
    ///
    /// # Errors
    /// There is none, or one outside of the bounds or older.
    pub async fn read(&self, bounds: Bounds) -> Result<Price, BadReading> {
        let reading = tokio::time::timeout(READ_WITHIN, self.bytes(bounds.age_max));
        let bytes = reading.await.map_err(|_| BadReading::Slow)??;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        let price: Price = text.parse().map_err(|why| BadReading::Text { text, why })?;
        let is_low = bounds.least.is_some_and(|least| price < least);
        let is_high = bounds.most.is_some_and(|most| price > most);
        if is_low || is_high { Err(BadReading::Outside { price, bounds }) } else { Ok(price) }
    }

    async fn bytes(&self, age_max: Option<Duration>) -> Result<Vec<u8>, BadReading> {
        match self {
            Self::File(path) => {
                let io = |source| BadReading::Io { what: path.display().to_string(), source };
                let file = tokio::fs::File::open(path).await.map_err(io)?;
                if let Some(limit) = age_max {
                    let about = file.metadata().await.map_err(io)?;
                    check_age(about.modified().map_err(io)?, limit)?;
                }
                short(file).await.map_err(io)?.ok_or(BadReading::Long)
            }
            Self::Command(line) => printed(line).await,
        }
    }
}

/// A file's time that is ahead of the clock by more than the limit says as little as an old one.
fn check_age(written: SystemTime, limit: Duration) -> Result<(), BadReading> {
    let age = SystemTime::now().duration_since(written).unwrap_or_else(|ahead| ahead.duration());
    let (age_s, limit_s) = (age.as_secs(), limit.as_secs());
    if age_s > limit_s { Err(BadReading::Old { age_s, limit_s }) } else { Ok(()) }
}

/// What a command prints. It ends with this future, whatever it is doing.
async fn printed(line: &str) -> Result<Vec<u8>, BadReading> {
    let io = |source| BadReading::Io { what: line.to_owned(), source };
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell)
        .args([flag, line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(io)?;
    let out = child.stdout.take().expect("it is piped");
    let bytes = short(out).await.map_err(io)?.ok_or(BadReading::Long)?;
    let status = child.wait().await.map_err(io)?;
    if status.success() { Ok(bytes) } else { Err(BadReading::Failed(status)) }
}

/// All of something short; none: it is not.
async fn short(from: impl AsyncRead + Unpin) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = from.take(READING_BYTES_MAX + 1).read_to_end(&mut bytes).await?;
    Ok((u64::try_from(read).is_ok_and(|read| read <= READING_BYTES_MAX)).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_decimal_text_of_eight_decimals_and_nothing_else() {
        let read = |text: &str| text.parse().map(Price::units);
        for (text, units) in [
            ("1", 100_000_000),
            ("0.00000001", 1),
            ("2500.5", 250_050_000_000),
            ("0001.10", 110_000_000),
            ("10000000000", PRICE_MAX),
        ] {
            assert_eq!(read(text), Ok(units), "{text}");
        }
        for text in ["", ".", ".5", "1.", "-1", "+1", "1e3", "1,5", "1.2.3", "0x1", "NaN", "1 2"] {
            assert_eq!(read(text), Err(PriceError::Form), "{text}");
        }
        assert_eq!(read("1.123456789"), Err(PriceError::Decimals(9)));
        for text in ["0", "0.0", "0.00000000"] {
            assert_eq!(read(text), Err(PriceError::Zero), "{text}");
        }
        for text in ["10000000000.00000001", "99999999999999999999999999"] {
            assert_eq!(read(text), Err(PriceError::TooHigh), "{text}");
        }
        let again: Price = "42.5".parse().unwrap();
        assert_eq!(again.to_string(), "42.50000000");
        assert_eq!(again.to_string().parse(), Ok(again));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_command_or_a_file_does_wrong_is_a_bad_reading() {
        let any = Bounds::default();
        let run = |line: &str| Source::Command(line.to_owned());
        let price = run("echo ' 12.25 '").read(any).await.unwrap();
        assert_eq!(price.to_string(), "12.25000000");
        let failed = run("echo 1; exit 3").read(any).await;
        assert!(matches!(failed, Err(BadReading::Failed(_))), "{failed:?}");
        let long = run("head -c 300 /dev/zero").read(any).await;
        assert!(matches!(long, Err(BadReading::Long)), "{long:?}");
        let text = run("echo hello").read(any).await;
        assert!(matches!(text, Err(BadReading::Text { why: PriceError::Form, .. })), "{text:?}");
        let bounds = Bounds { least: "10".parse().ok(), most: "12".parse().ok(), ..any };
        let outside = run("echo 12.25").read(bounds).await.unwrap_err();
        assert_eq!(outside.to_string(), "12.25000000 is outside of 10.00000000 to 12.00000000");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("price");
        let absent = Source::File(file.clone()).read(any).await;
        assert!(matches!(absent, Err(BadReading::Io { .. })), "{absent:?}");
        std::fs::write(&file, "11\n").unwrap();
        assert_eq!(Source::File(file).read(bounds).await.unwrap().units(), 1_100_000_000);
    }

    #[tokio::test]
    async fn a_file_that_nobody_writes_any_more_is_a_bad_reading_where_a_limit_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("price");
        std::fs::write(&path, "11").unwrap();
        let (hour, any) = (Duration::from_secs(3_600), Bounds::default());
        let bounds = Bounds { age_max: Some(hour), ..any };
        let source = Source::File(path.clone());
        source.read(bounds).await.unwrap();
        let now = SystemTime::now();
        for written in [now - 2 * hour, now + 2 * hour] {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(written).unwrap();
            let old = source.read(bounds).await;
            assert!(matches!(old, Err(BadReading::Old { limit_s: 3_600, .. })), "{old:?}");
            source.read(any).await.unwrap();
        }
    }
}
