//! Frames of a share's data channels: any bytes decode to a message within its bounds or to an error, and
//! a message that decoded survives its own encoding.

use primitives::SwarmId;
use wire::{
    blocks::{Ask, AskedBlock, BlockMessage, Decline, Forget, Holds, Part},
    peer::{Bye, Choke, Hello, RefuseReason, Run},
};

/// Decodes, and encodes what decoded.
pub fn run(bytes: &[u8]) {
    let Ok(message) = BlockMessage::decode(bytes) else { return };
    let again = message.encode_to_vec();
    assert_eq!(
        BlockMessage::decode(&again).as_ref(),
        Ok(&message),
        "what decodes must survive encoding"
    );
}

/// One message of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let run = Run { first: 3, count: 40 };
    let block = AskedBlock { id: 7, cid: [9; 36].into() };
    let messages = [
        BlockMessage::Hello(Hello { version: 1, swarm: SwarmId::new([7; 32]), uploads: true }),
        BlockMessage::Choke(Choke { on: true, reason: RefuseReason::UploadsOff }),
        BlockMessage::Bye(Bye { reason: 1 }),
        BlockMessage::Holds(Holds { added: vec![run, run], removed: vec![run] }),
        BlockMessage::Ask(Ask { blocks: vec![block, block], due_in_ms: None }),
        BlockMessage::Ask(Ask { blocks: vec![block], due_in_ms: Some(250) }),
        BlockMessage::Forget(Forget { ids: vec![7, 8] }),
        BlockMessage::Part(Part {
            id: 7,
            block_bytes: 1_048_618,
            offset: 61_440,
            bytes: b"payload".as_slice().into(),
        }),
        BlockMessage::Decline(Decline { ids: vec![7], reason: RefuseReason::Busy }),
    ];
    messages.iter().map(BlockMessage::encode_to_vec).collect()
}
