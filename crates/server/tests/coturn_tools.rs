//! Coturn's own tools (Debian's package coturn) against this server. Where they are missing, the tests are reported as
//! ignored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    process::{Command, Output},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use libtest_mimic::{Arguments, Trial};
use sightline_server::{Options, Server, turn::credentials::RestCredentials};

const SECRET: &str = "known to both";
const CLIENT: &str = "turnutils_uclient";
const STUN_CLIENT: &str = "turnutils_stunclient";

/// Clients at the same time.
const CLIENTS: &str = "50";
/// Messages that each of them sends.
const MESSAGES: &str = "5";

fn main() {
    let arguments = Arguments::from_args();
    let trials = [
        trial("a_stun_client_learns_its_address", a_stun_client_learns_its_address),
        trial("fifty_clients_over_udp_lose_nothing", || lose_nothing(Ports::plain, &[])),
        trial("fifty_clients_that_bind_no_channels_lose_nothing", || lose_nothing(Ports::plain, &["-s"])),
        trial("fifty_clients_over_tcp_lose_nothing", || lose_nothing(Ports::plain, &["-t"])),
        trial("fifty_clients_over_tls_lose_nothing", || lose_nothing(Ports::tls, &["-t", "-S"])),
        trial("refused_credentials_are_always_refused", refused_credentials_are_always_refused),
    ];
    libtest_mimic::run(&arguments, trials.into()).exit();
}

/// A test that needs the tools.
fn trial(name: &str, test: fn()) -> Trial {
    let run = move || {
        test();
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(!are_there()).with_kind("coturn")
}

fn are_there() -> bool {
    [CLIENT, STUN_CLIENT].iter().all(|tool| Command::new(tool).arg("-h").output().is_ok())
}

fn a_stun_client_learns_its_address() {
    with_server(|ports| {
        let port = ports.plain().to_string();
        let said = said(&Command::new(STUN_CLIENT).args(["-p", &port, "127.0.0.1"]).output().unwrap());
        assert!(said.contains("UDP reflexive addr: 127.0.0.1:"), "{said}");
    });
}

fn lose_nothing(port: fn(&Ports) -> u16, options: &[&str]) {
    with_server(|ports| {
        let (username, password) = credentials(600);
        let said = talk(port(&ports), &username, &password, CLIENTS, options);
        assert!(said.contains("Total lost packets 0 (0.000000%), total send dropped 0"), "{said}");
        assert!(said.contains("tot_send_msgs=250, tot_recv_msgs=250"), "{said}");
    });
}

fn refused_credentials_are_always_refused() {
    with_server(|ports| {
        let (username, password) = credentials(600);
        let (expired, its_password) = credentials(-1);
        let (far, far_password) = credentials(10 * 24 * 60 * 60);
        for (username, password) in
            [(&*username, "wrong"), ("ada", &*password), (&expired, &its_password), (&far, &far_password)]
        {
            for _ in 0..3 {
                let said = talk(ports.plain(), username, password, "1", &[]);
                assert!(said.contains("Cannot complete Allocation"), "{username}: {said}");
            }
        }
    });
}

/// Runs clients that talk to themselves through two allocations each, and returns the tool's output.
fn talk(port: u16, username: &str, password: &str, clients: &str, options: &[&str]) -> String {
    let port = port.to_string();
    let mut command = Command::new(CLIENT);
    command.args(["-u", username, "-w", password, "-p", &port, "-y", "-c", "-m", clients, "-n", MESSAGES]);
    said(&command.args(options).arg("127.0.0.1").output().unwrap())
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[derive(Debug, Clone, Copy)]
struct Ports(u16, u16);

impl Ports {
    fn plain(&self) -> u16 {
        self.0
    }

    fn tls(&self) -> u16 {
        self.1
    }
}

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

/// Runs a server on loopback while `test` runs.
fn with_server(test: impl FnOnce(Ports)) {
    let data = tempfile::tempdir().unwrap();
    let words = ["server", "--port=0", "--bind=127.0.0.1", "--turn-port=0", "--turn-tls-port=0"];
    let allow = ["--turn-allow=127.0.0.0/8", "--turn-secret", SECRET, "--data-dir"];
    let words = words.iter().chain(&allow).map(Into::into).chain([data.path().as_os_str().to_owned()]);
    let options = CommandLine::parse_from(words).options;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ports = runtime.block_on(async {
        let server = Server::bind(options.try_into().unwrap()).unwrap();
        let (plain, tls) = server.turn_ports().unwrap();
        tokio::spawn(server.run(std::future::pending(), async || std::future::pending().await));
        Ports(plain, tls)
    });
    test(ports);
    runtime.shutdown_background();
}

#[expect(clippy::disallowed_methods, reason = "credentials are about the time of day")]
fn credentials(life_s: i64) -> (String, String) {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let username = format!("{}:ada", now_s.saturating_add_signed(life_s));
    let password = RestCredentials::new(SECRET.as_bytes(), Duration::ZERO).password(&username);
    (username, password)
}
