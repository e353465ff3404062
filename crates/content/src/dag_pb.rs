//! dag-pb: a node with links (IPLD specification, dag-pb).
//!
//! Written: all links, sorted by name where the caller says so, then the data. Read: the same, or data
//! first as older writers did; nothing else, because two readings of one node would be two files.

use crate::{
    Cid, CidError,
    protobuf::{Fields, Malformed, Value, put_bytes, put_varint, varint_bytes},
};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) cid: Cid,
    /// Empty in files.
    pub(crate) name: String,
    /// Bytes of all blocks below, repeated ones counted again. A hint: nothing checks it.
    pub(crate) tree_bytes: u64,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PbNode {
    pub(crate) links: Vec<Link>,
    pub(crate) data: Option<Vec<u8>>,
}

/// Why bytes are not a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PbError {
    Malformed,
    Link(CidError),
}

impl From<Malformed> for PbError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl PbNode {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for link in &self.links {
            put_bytes(&mut out, 2, &link.encode());
        }
        if let Some(data) = &self.data {
            put_bytes(&mut out, 1, data);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, PbError> {
        let mut node = Self::default();
        let mut links_ended = false;
        for field in Fields::new(bytes) {
            match field? {
                (2, Value::Bytes(link)) if !links_ended => node.links.push(Link::decode(link)?),
                (1, Value::Bytes(data)) if node.data.is_none() => {
                    node.data = Some(data.to_vec());
                    links_ended = !node.links.is_empty();
                }
                _ => return Err(PbError::Malformed),
            }
        }
        Ok(node)
    }
}

impl Link {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.name.len());
        put_bytes(&mut out, 1, &self.cid.to_bytes());
        put_bytes(&mut out, 2, self.name.as_bytes());
        put_varint(&mut out, 3, self.tree_bytes);
        out
    }

    /// Bytes this link takes in a node.
    pub(crate) fn encoded_bytes(name_bytes: usize, tree_bytes: u64) -> usize {
        let wide = |count: usize| varint_bytes(count.try_into().unwrap_or(u64::MAX));
        let link = 38 + 1 + wide(name_bytes) + name_bytes + 1 + varint_bytes(tree_bytes);
        1 + wide(link) + link
    }

    fn decode(bytes: &[u8]) -> Result<Self, PbError> {
        let (mut cid, mut name, mut tree_bytes) = (None, None, None);
        for field in Fields::new(bytes) {
            match field? {
                (1, Value::Bytes(hash)) if cid.is_none() && name.is_none() => {
                    cid = Some(Cid::from_bytes(hash).map_err(PbError::Link)?);
                }
                (2, Value::Bytes(text)) if name.is_none() && tree_bytes.is_none() => {
                    name = Some(str::from_utf8(text).map_err(|_| PbError::Malformed)?.to_owned());
                }
                (3, Value::Varint(number)) if tree_bytes.is_none() => tree_bytes = Some(number),
                _ => return Err(PbError::Malformed),
            }
        }
        let cid = cid.ok_or(PbError::Malformed)?;
        Ok(Self { cid, name: name.unwrap_or_default(), tree_bytes: tree_bytes.unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    fn link(name: &str, tree_bytes: u64) -> Link {
        Link { cid: Cid::of(Codec::Raw, b"x"), name: name.to_owned(), tree_bytes }
    }

    #[test]
    fn a_node_is_read_as_it_was_written_and_its_size_is_known_before() {
        for (name, tree_bytes) in [("", 0), ("a", 127), (&"ä".repeat(100), 1 << 40)] {
            let node = PbNode { links: vec![link(name, tree_bytes)], data: Some(vec![8, 1]) };
            let bytes = node.encode();
            assert_eq!(PbNode::decode(&bytes), Ok(node));
            assert_eq!(bytes.len(), Link::encoded_bytes(name.len(), tree_bytes) + 4);
        }
    }

    #[test]
    fn data_may_come_first_but_not_between_links_nor_twice() {
        let mut one = Vec::new();
        put_bytes(&mut one, 2, &link("a", 1).encode());
        let data = [0x0a, 1, 7];
        let read = |parts: &[&[u8]]| PbNode::decode(&parts.concat());
        assert_eq!(read(&[&data, &one, &one]), read(&[&one, &one, &data]));
        for wrong in [&[&one[..], &data, &one][..], &[&data, &data], &[&[0x18, 0]], &[&one[1..]]] {
            assert_eq!(read(wrong), Err(PbError::Malformed), "{wrong:?}");
        }
    }
}
