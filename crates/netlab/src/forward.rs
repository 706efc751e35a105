//! Carries packets in one direction, through the queue that delays, loses and limits them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use str0m_netem::{Input, Netem, Output};
use tokio::{sync::watch, time};
use tokio_tun::Tun;

use crate::LinkProfile;

/// Longest packet, in bytes: more than the devices' MTU of 1500.
const MAX_PACKET_BYTES: usize = 2048;
/// Most packets that wait in one direction, whatever its delay: 100 Mbit/s for a second.
pub(crate) const MAX_QUEUED_PACKETS: usize = 10_000;

/// Counts the packets of one direction.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) taken: AtomicU64,
    pub(crate) taken_bytes: AtomicU64,
    pub(crate) delivered: AtomicU64,
}

/// Carries packets from one device to the other until the task is aborted or a device is gone.
pub(crate) async fn forward(
    from: Arc<Tun>,
    to: Arc<Tun>,
    mut profile: watch::Receiver<LinkProfile>,
    counters: Arc<Counters>,
) {
    let mut queue = Netem::<Vec<u8>>::new(profile.borrow().netem());
    let mut is_cut = profile.borrow().is_cut;
    let mut packet = [0; MAX_PACKET_BYTES];
    loop {
        let mut read_packets = 0;
        let due = time::Instant::from_std(queue.poll_timeout());
        tokio::select! {
            read = from.recv(&mut packet) => {
                let Ok(length) = read else { return };
                read_packets = 1;
                counters.taken_bytes.fetch_add(length as u64, Ordering::Relaxed);
                if !is_cut && queue.queue_len() < MAX_QUEUED_PACKETS {
                    queue.handle_input(Input::Packet(now(), packet[..length].to_vec()));
                }
            }
            () = time::sleep_until(due) => queue.handle_input(Input::Timeout(now())),
            changed = profile.changed() => {
                if changed.is_err() {
                    return;
                }
                let changed = profile.borrow_and_update();
                is_cut = changed.is_cut;
                queue.set_config(changed.netem());
            }
        }
        while let Some(output) = queue.poll_output() {
            if let Output::Packet(packet) = output {
                // A cut also takes the packets that are on the wire.
                if !is_cut && to.send(&packet).await.is_ok() {
                    counters.delivered.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        // Counted last, so that a packet that is counted as taken is also delivered, unless the link delays it.
        counters.taken.fetch_add(read_packets, Ordering::Release);
    }
}

/// Netlab measures the real network stack in real time, so there is no simulated clock.
#[allow(clippy::disallowed_methods, reason = "native only, and real time is the point")]
fn now() -> Instant {
    Instant::now()
}
