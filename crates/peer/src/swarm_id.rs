//! Which viewers share: the swarm id of a stream (`docs/spec/swarm.md`, "Swarm id").

use primitives::{SwarmId, sha256};

use crate::{Integrity, StreamConfig, urls};

/// Context of a swarm id of an HLS stream.
const CONTEXT: &[u8] = b"starling-hls-v1\0";

impl StreamConfig {
    /// The swarm of this stream: SHA-256 of a context, the swarm's name or else the playlist's URL
    /// without query and fragment, and the pinned publisher if there is one.
    ///
    /// Tokens in the query differ from viewer to viewer and are no part of the name. A pinned
    /// publisher is: those who pin it never meet those who do not.
    pub fn swarm_id(&self) -> SwarmId {
        let name = match &self.swarm_name {
            Some(name) => name.as_str(),
            None => urls::without_query(&self.playlist_url),
        };
        let mut bytes = [CONTEXT, name.as_bytes()].concat();
        if let Integrity::Best { publisher: Some(publisher) } = &self.integrity {
            bytes.push(0);
            bytes.extend_from_slice(publisher.to_string().as_bytes());
        }
        SwarmId::new(*sha256(&bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use primitives::{KeyPair, Seed};

    use super::*;

    fn config(playlist_url: &str) -> StreamConfig {
        StreamConfig {
            playlist_url: playlist_url.to_owned(),
            swarm_name: None,
            integrity: Integrity::Best { publisher: None },
            site: None,
            region: None,
        }
    }

    #[test]
    fn a_token_in_the_query_does_not_part_viewers() {
        let plain = config("https://a.example/v/master.m3u8");
        assert_eq!(plain.swarm_id(), config("https://a.example/v/master.m3u8?t=1#x").swarm_id());
        assert_ne!(plain.swarm_id(), config("https://a.example/w/master.m3u8").swarm_id());
        let expected = sha256(b"starling-hls-v1\0https://a.example/v/master.m3u8");
        assert_eq!(plain.swarm_id().to_string(), expected.to_string());
    }

    #[test]
    fn mirrors_meet_by_name_and_a_pin_parts() {
        let named = |url| StreamConfig { swarm_name: Some("film".to_owned()), ..config(url) };
        let (one, two) = (named("https://a.example/m.m3u8"), named("https://b.example/m.m3u8"));
        assert_eq!(one.swarm_id(), two.swarm_id());
        let key = KeyPair::from_seed(Seed::from_number(1)).id();
        let pinned = StreamConfig { integrity: Integrity::Best { publisher: Some(key) }, ..one };
        let expected = sha256(format!("starling-hls-v1\0film\0{key}").as_bytes());
        assert_eq!(pinned.swarm_id().to_string(), expected.to_string());
        assert_ne!(pinned.swarm_id(), two.swarm_id());
    }
}
