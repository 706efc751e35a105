//! The behavior of the emulated routers. Needs root and `nft`; elsewhere each test is reported as ignored, with the reason.
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
    use std::{
        collections::HashSet,
        io::{ErrorKind, Read, Write},
        net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
        process::ExitCode,
        time::Duration,
    };

    use libtest_mimic::{Arguments, Failed, Trial};
    use sightline_netlab::{Internet, Namespace, Router};

    /// Time within which an expected packet arrives even on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(20);

    type Test = (&'static str, fn() -> Result<(), Failed>);

    pub(super) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        let missing = Internet::available().err();
        if let Some(reason) = &missing {
            println!("ignored, because {reason}:");
        }
        let tests: [Test; 3] = [
            ("a_usual_router_shows_everyone_the_same_port", usual),
            ("a_symmetric_router_shows_everyone_another_port", symmetric),
            ("a_router_that_blocks_udp_lets_tcp_through", no_udp),
        ];
        let trials = tests
            .into_iter()
            .map(|(name, test)| Trial::test(name, test).with_ignored_flag(missing.is_some()))
            .collect();
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    fn usual() -> Result<(), Failed> {
        let internet = Internet::new([Router::Nat; 2])?;
        assert_eq!(seen(&internet)?.len(), 1);
        Ok(())
    }

    fn symmetric() -> Result<(), Failed> {
        let internet = Internet::new([Router::SymmetricNat; 2])?;
        let seen = seen(&internet)?;
        // Of three random ports two may be the same.
        assert!(seen.len() > 1, "{seen:?}");
        Ok(())
    }

    fn no_udp() -> Result<(), Failed> {
        let internet = Internet::new([Router::NoUdp, Router::Nat])?;
        let address = SocketAddr::new(Internet::ADDRESS, 5_000);
        let listener = internet.middle.run(|| TcpListener::bind(address))??;
        let mut near = internet.homes[0].run(|| TcpStream::connect_timeout(&address, PATIENCE))??;
        let (mut far, _) = listener.accept()?;
        let (here, there) =
            (socket(&internet.homes[0], "0.0.0.0:0")?, socket(&internet.middle, "11.0.0.1:5000")?);
        here.send_to(b"by UDP", address)?;
        // The later bytes have arrived, so the earlier datagram never will.
        near.write_all(b"by TCP")?;
        let mut words = [0; 6];
        far.read_exact(&mut words)?;
        assert_eq!(&words, b"by TCP");
        there.set_nonblocking(true)?;
        assert_eq!(there.recv(&mut words).unwrap_err().kind(), ErrorKind::WouldBlock);
        Ok(())
    }

    /// The ports under which three servers see one socket behind the first router.
    fn seen(internet: &Internet) -> Result<HashSet<SocketAddr>, Failed> {
        let home = socket(&internet.homes[0], "0.0.0.0:0")?;
        let mut seen = HashSet::new();
        for _ in 0..3 {
            let server = socket(&internet.middle, "11.0.0.1:0")?;
            home.send_to(b"?", server.local_addr()?)?;
            let mut bytes = [0; 16];
            let (_, from) = server.recv_from(&mut bytes)?;
            // The answer also comes back.
            server.send_to(b"!", from)?;
            assert_eq!(home.recv_from(&mut bytes)?, (1, server.local_addr()?));
            seen.insert(from);
        }
        Ok(seen)
    }

    fn socket(namespace: &Namespace, address: &str) -> Result<UdpSocket, Failed> {
        let socket = namespace.run(|| UdpSocket::bind(address))??;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(socket)
    }
}
