//! UDP clients.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::sync::Arc;

use quinn_udp::RecvMeta;
use tokio::task::JoinSet;

use super::hub::Hub;
use super::plan::{HEADROOM, Plan, Segment};
use super::socket::{BATCH, BATCH_BYTES, Socket};
use crate::turn::{FiveTuple, Machine, Output, Verdict};

/// Memory of one thread for one batch.
struct Scratch {
    buffers: Vec<Box<[u8]>>,
    metas: [RecvMeta; BATCH],
    plan: Plan,
    outputs: Vec<Output>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        buffers: (0..BATCH).map(|_| vec![0; HEADROOM + BATCH_BYTES].into()).collect(),
        metas: [RecvMeta::default(); BATCH],
        plan: Plan::default(),
        outputs: Vec::new(),
    });
}

/// Starts a task for each socket clients come to.
pub(super) fn spawn(hub: &Arc<Hub>, tasks: &mut JoinSet<()>) {
    for (number, sockets) in &hub.udp {
        for index in 0..sockets.len() {
            let (hub, number) = (Arc::clone(hub), *number);
            tasks.spawn(async move {
                let socket = &hub.udp[&number][index];
                let Ok(bound) = socket.local() else { return };
                serve(&hub, socket, |machine, meta, bytes| {
                    let local = meta.dst_ip.unwrap_or(bound.ip());
                    let client = FiveTuple { listener: number, local, remote: meta.addr };
                    machine.datagram(hub.now(), &client, bytes)
                })
                .await;
            });
        }
    }
}

/// Takes batches and does what `judge` says of each datagram, until the task is ended.
pub(super) async fn serve(
    hub: &Arc<Hub>,
    socket: &Socket,
    mut judge: impl FnMut(&mut Machine, &RecvMeta, &[u8]) -> Verdict,
) {
    while socket.readable().await.is_ok() {
        let batch = SCRATCH.with_borrow_mut(|scratch| batch(hub, socket, scratch, &mut judge));
        match batch {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Of one peer that answered by ICMP: the next datagram is another's.
            Err(error) => tracing::debug!(%error, "a datagram could not be taken"),
        }
    }
}

fn batch(
    hub: &Arc<Hub>,
    socket: &Socket,
    scratch: &mut Scratch,
    judge: &mut impl FnMut(&mut Machine, &RecvMeta, &[u8]) -> Verdict,
) -> io::Result<()> {
    let Scratch { buffers, metas, plan, outputs } = scratch;
    let mut rooms = buffers.iter_mut();
    let mut rooms: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| {
        let room = rooms.next().expect("there is a buffer for each");
        IoSliceMut::new(&mut room[HEADROOM..])
    });
    let count = socket.take(&mut rooms, metas)?;
    plan.clear();
    let mut machine = hub.machine();
    for (index, (meta, buffer)) in metas.iter().zip(buffers.iter_mut()).take(count).enumerate() {
        let end = HEADROOM + meta.len;
        let mut start = HEADROOM;
        while start < end {
            let range = start..end.min(start + meta.stride.max(1));
            start = range.end;
            let verdict = judge(&mut machine, meta, &buffer[range.clone()]);
            let segment = Segment { buffer: index, range, alone: meta.len <= meta.stride };
            plan.push(buffer, &segment, verdict);
        }
    }
    machine.take_outputs(outputs);
    drop(machine);
    hub.send_all(plan, |index| &buffers[index]);
    hub.perform(outputs);
    Ok(())
}
