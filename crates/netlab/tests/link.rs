//! Packets across an emulated link. Needs root; elsewhere each test is reported as ignored, with the reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("sightline-netlab needs Linux: no test was run");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io, process::ExitCode, time::Duration};

    use libtest_mimic::{Arguments, Failed, Trial};
    use sightline_netlab::{Direction, Link, LinkProfile, Side, available};
    use tokio::{
        net::UdpSocket,
        runtime::{self, Runtime},
        time::timeout,
    };

    /// Time within which an expected packet arrives even on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(20);

    type Test = (&'static str, fn() -> Result<(), Failed>);

    pub(super) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        let missing = available().err();
        if let Some(reason) = &missing {
            println!("ignored, because {reason}:");
        }
        let tests: [Test; 6] = [
            ("what_is_sent_arrives_whole_in_both_directions", arrives),
            ("a_cut_lets_nothing_through_until_it_is_mended", cut),
            ("one_direction_can_be_cut_alone", one_way),
            ("a_burst_is_not_lost_where_nothing_is_to_be", burst),
            ("a_lossy_link_loses_about_the_part_it_should", loss),
            ("what_a_slow_link_cannot_carry_is_dropped", rate),
        ];
        let trials = tests
            .into_iter()
            .map(|(name, test)| Trial::test(name, test).with_ignored_flag(missing.is_some()))
            .collect();
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    fn arrives() -> Result<(), Failed> {
        Runtime::new()?.block_on(async {
            let link =
                Link::new(&LinkProfile { jitter_ms: 2.0, ..LinkProfile::delayed(Duration::from_millis(5)) })?;
            let (a, b) = (socket(&link.a)?, socket(&link.b)?);
            for (from, to) in [(&a, &b), (&b, &a)] {
                let message = vec![7; 1_200];
                from.send_to(&message, to.local_addr()?).await?;
                assert_eq!(receive(to).await?, Some(message));
            }
            Ok(())
        })
    }

    fn cut() -> Result<(), Failed> {
        Runtime::new()?.block_on(async {
            let link = Link::new(&LinkProfile::default())?;
            let (a, b) = (socket(&link.a)?, socket(&link.b)?);
            link.set_cut(true);
            // The first after the cut may be read before the change is; the last cannot.
            until_taken(&link, &a, &b, b"cut").await?;
            link.set_cut(false);
            let mut heard = Vec::new();
            while heard != b"mended" {
                a.send_to(b"mended", b.local_addr()?).await?;
                if let Ok(Ok(Some(message))) = timeout(Duration::from_millis(100), receive(&b)).await {
                    heard = message;
                }
            }
            Ok(())
        })
    }

    fn one_way() -> Result<(), Failed> {
        Runtime::new()?.block_on(async {
            let link = Link::new(&LinkProfile::default())?;
            let (a, b) = (socket(&link.a)?, socket(&link.b)?);
            link.set(Direction::AToB, LinkProfile { is_cut: true, ..LinkProfile::default() });
            until_taken(&link, &a, &b, b"cut").await?;
            b.send_to(b"still", a.local_addr()?).await?;
            assert_eq!(receive(&a).await?, Some(b"still".to_vec()));
            Ok(())
        })
    }

    fn burst() -> Result<(), Failed> {
        const PACKETS: u64 = 4_000;
        // One thread, so that no packet is carried before all are sent.
        runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let link = Link::new(&LinkProfile::default())?;
            let (address, there) = (link.a.address, socket(&link.b)?.local_addr()?);
            let before = link.counters(Direction::AToB);
            let sending = link.a.namespace.run(move || -> io::Result<()> {
                let socket = std::net::UdpSocket::bind((address, 0))?;
                (0..PACKETS).try_for_each(|_| socket.send_to(b"x", there).map(drop))
            });
            sending??;
            settle(&link, before.taken + PACKETS).await;
            assert!(link.counters(Direction::AToB).delivered >= before.delivered + PACKETS);
            Ok(())
        })
    }

    fn loss() -> Result<(), Failed> {
        Runtime::new()?.block_on(async {
            let link = Link::new(&LinkProfile { loss_ratio: 0.2, ..LinkProfile::default() })?;
            let (a, b) = (socket(&link.a)?, socket(&link.b)?);
            let before = link.counters(Direction::AToB);
            for _ in 0..2_000 {
                a.send_to(b"x", b.local_addr()?).await?;
            }
            settle(&link, before.taken + 2_000).await;
            let after = link.counters(Direction::AToB);
            let (taken, delivered) = (after.taken - before.taken, after.delivered - before.delivered);
            let lost = 1.0 - delivered as f64 / taken as f64;
            assert!((0.15..0.25).contains(&lost), "{lost} of {taken} lost");
            Ok(())
        })
    }

    fn rate() -> Result<(), Failed> {
        Runtime::new()?.block_on(async {
            let slow =
                LinkProfile { rate_bps: Some(100_000), buffer_bytes: 10_000, ..LinkProfile::default() };
            let link = Link::new(&slow)?;
            let (a, b) = (socket(&link.a)?, socket(&link.b)?);
            for _ in 0..100 {
                a.send_to(&[0; 1_000], b.local_addr()?).await?;
            }
            settle(&link, 100).await;
            let counters = link.counters(Direction::AToB);
            assert!(counters.delivered < counters.taken / 2, "{counters:?}");
            assert!(counters.taken_bytes > 100 * 1_000, "{counters:?}");
            Ok(())
        })
    }

    /// Sends until a packet that was sent after the change was taken and not delivered.
    async fn until_taken(
        link: &Link,
        from: &UdpSocket,
        to: &UdpSocket,
        message: &[u8],
    ) -> Result<(), Failed> {
        let mut silent = 0;
        while silent < 3 {
            let before = link.counters(Direction::AToB);
            from.send_to(message, to.local_addr()?).await?;
            settle(link, before.taken + 1).await;
            let after = link.counters(Direction::AToB);
            silent = if after.delivered == before.delivered { silent + 1 } else { 0 };
        }
        Ok(())
    }

    /// Waits until the link has taken this number of packets.
    async fn settle(link: &Link, taken: u64) {
        let reached = async {
            while link.counters(Direction::AToB).taken < taken {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the link takes what is sent");
    }

    fn socket(side: &Side) -> Result<UdpSocket, Failed> {
        let address = side.address;
        let socket = side.namespace.run(move || std::net::UdpSocket::bind((address, 0)))??;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket::from_std(socket)?)
    }

    async fn receive(socket: &UdpSocket) -> Result<Option<Vec<u8>>, Failed> {
        let mut buffer = [0; 2_048];
        match timeout(PATIENCE, socket.recv_from(&mut buffer)).await {
            Ok(received) => Ok(Some(buffer[..received?.0].to_vec())),
            Err(_) => Ok(None),
        }
    }
}
