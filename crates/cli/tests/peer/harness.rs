//! A server on a free port, and processes of `sightline-peer`.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use sightline_server::{
    Config, ConnectionLimits, Server, SocketLimits, rooms::RoomSettings, turn::RelaySource,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// A test that waits this long without any news has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Lines that wait for a test: a few a second, for longer than any test.
const MAX_LINES: usize = 10_000;

pub(crate) struct TestServer {
    addr: SocketAddr,
    is_encrypted: bool,
    pub(crate) directories: TempDir,
    /// The ports of STUN and TURN by UDP and TCP, and by TLS.
    pub(crate) turn_ports: Option<(u16, u16)>,
    /// Stops the server when it is dropped.
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A server with settings that `adapt` changes.
    pub(crate) fn start_with(adapt: impl FnOnce(&mut Config)) -> Self {
        let directories = tempfile::tempdir().unwrap();
        std::fs::create_dir(directories.path().join("dist")).unwrap();
        let mut config = Config {
            bind: Some("127.0.0.1".parse().unwrap()),
            port: 0,
            tls: None,
            http_port: None,
            dist: Some(directories.path().join("dist")),
            client: None,
            data_dir: directories.path().join("data"),
            create_token_file: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_bind: None,
            has_open_metrics: false,
            turn: RelaySource::Off,
            rooms: RoomSettings::default(),
            sockets: SocketLimits::default(),
            connections: ConnectionLimits::default(),
        };
        adapt(&mut config);
        let is_encrypted = config.tls.is_some();
        let server = Server::bind(config).unwrap();
        let addr = server.local_addr();
        let turn_ports = server.turn_ports();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let running = tokio::spawn(async move {
            server.run(shutdown, async || std::future::pending().await).await;
        });
        Self { addr, is_encrypted, directories, turn_ports, stop, running }
    }

    /// Stops the server, and starts another one at its port with its data.
    pub(crate) async fn restart(self) -> Self {
        let Self { addr, directories, stop, running, .. } = self;
        drop(stop);
        timeout(PATIENCE, running).await.expect("the server did not stop").unwrap();
        let data = directories.path().join("data");
        let mut server = Self::start_with(|config| (config.port, config.data_dir) = (addr.port(), data));
        // The data are in the first one.
        server.directories = directories;
        server
    }

    /// The file with the server's certificate, if the server made it.
    pub(crate) fn certificate(&self) -> String {
        self.directories.path().join("data/self-signed.pem").to_str().unwrap().to_owned()
    }

    /// The address of the signaling WebSocket.
    pub(crate) fn signaling(&self) -> String {
        format!("ws://{}/ws", self.addr)
    }

    /// The address of a room.
    pub(crate) fn room(&self, name: &str) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}/room/{name}", self.addr)
    }
}

/// A running process that prints JSON.
pub(crate) struct Member {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Member {
    /// Starts a command of a room with `--json`.
    pub(crate) fn start<S: AsRef<OsStr>>(command: &str, room: &str, name: &str, arguments: &[S]) -> Self {
        Self::start_in(command, room, name, arguments, &std::env::temp_dir())
    }

    /// Starts it with a directory for what a later process needs.
    pub(crate) fn start_in<S: AsRef<OsStr>>(
        command: &str,
        room: &str,
        name: &str,
        arguments: &[S],
        states: &Path,
    ) -> Self {
        let mut process = program();
        process.args([command, room, "--name", name, "--json"]).args(arguments).env("XDG_STATE_HOME", states);
        Self::spawn(&mut process)
    }

    /// Starts bots with `--json`.
    #[cfg(unix)]
    pub(crate) fn start_bots(count: usize, room: &str, arguments: &[&str]) -> Self {
        let mut process = program();
        process.args(["bots", &count.to_string(), room, "--json"]).args(arguments);
        Self::spawn(&mut process)
    }

    /// Starts a program that prints events as `sightline-peer` does.
    pub(crate) fn spawn_foreign(process: &mut Command) -> Self {
        Self::spawn(process)
    }

    fn spawn(process: &mut Command) -> Self {
        let mut child = process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (to_test, lines) = mpsc::channel(MAX_LINES);
        // A full pipe would stop the process while a test waits for another one.
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                if to_test.send(line).await.is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, lines }
    }

    pub(crate) async fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Ends the standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for an event of this kind, and passes over others.
    pub(crate) async fn event(&mut self, kind: &str) -> Value {
        self.event_where(kind, |_| true).await
    }

    /// Waits for an event of this kind that `is_wanted`.
    pub(crate) async fn event_where(&mut self, kind: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        self.wanted(kind, |event| event["event"] == kind && is_wanted(event)).await
    }

    async fn wanted(&mut self, kind: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut passed = Vec::new();
        loop {
            let Ok(line) = timeout(PATIENCE, self.lines.recv()).await else {
                panic!("no {kind} came: {passed:#?}");
            };
            let Some(line) = line else {
                let mut stderr = String::new();
                let _ = self.child.stderr.take().unwrap().read_to_string(&mut stderr).await;
                panic!("ended without {kind}: {passed:#?} {stderr}");
            };
            let event: Value = serde_json::from_str(&line).unwrap();
            if is_wanted(&event) {
                return event;
            }
            passed.push(line);
        }
    }

    /// Waits for an event of each of two kinds, in any order. Returns the one of the first kind.
    pub(crate) async fn both(&mut self, kinds: [&str; 2]) -> Value {
        let mut found = [None, None];
        while let [None, _] | [_, None] = found {
            let is_wanted = |event: &Value| kinds.iter().any(|kind| event["event"] == *kind);
            let event = self.wanted(&kinds.join(" or "), is_wanted).await;
            let at = usize::from(event["event"] != kinds[0]);
            found[at] = Some(event);
        }
        found[0].take().unwrap_or_default()
    }

    /// Waits for the end. Returns the status and the standard error.
    pub(crate) async fn end(mut self) -> (ExitStatus, String) {
        self.end_input();
        finish(self.child).await
    }

    /// Waits until the command ends by itself, with its standard input open. Returns the status and the standard error.
    pub(crate) async fn end_by_itself(self) -> (ExitStatus, String) {
        let Self { child, stdin: _open, lines: _ } = self;
        finish(child).await
    }

    /// The most memory that the process has had at a time, in MiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
    }

    /// As Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        self.send_signal(rustix::process::Signal::INT);
    }

    /// Takes the processor from the member until [`Self::go_on`]. On a busy computer its threads run on for a moment after the signal, so
    /// this waits until the last of them has stopped.
    #[cfg(unix)]
    pub(crate) fn stand_still(&self) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        self.send_signal(rustix::process::Signal::STOP);
        let stopped = waitid(WaitId::Pid(self.process()), WaitIdOptions::STOPPED).unwrap();
        assert!(stopped.is_some_and(|status| status.stopped()));
    }

    #[cfg(unix)]
    pub(crate) fn go_on(&self) {
        self.send_signal(rustix::process::Signal::CONT);
    }

    #[cfg(unix)]
    fn send_signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.process(), signal).unwrap();
    }

    #[cfg(unix)]
    fn process(&self) -> rustix::process::Pid {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::Pid::from_raw(id).unwrap()
    }
}

/// The bin under test, without the variables of whoever runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline-peer"));
    command.env("XDG_STATE_HOME", std::env::temp_dir()).env_remove("SIGHTLINE_ROOM");
    command
}

/// What a command that ended has left.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Gives a command no input, and its outputs to the test.
pub(crate) fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true)
}

/// Runs a command to its end.
pub(crate) async fn run_to_end(command: &mut Command) -> Ended {
    let output = timeout(PATIENCE, piped(command).output()).await.expect("the process did not end").unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command to its end. Returns the exit code and the standard error.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Ended { code, stderr, .. } = run_to_end(program().args(arguments)).await;
    (code, stderr)
}

async fn finish(mut child: Child) -> (ExitStatus, String) {
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().unwrap();
    let ended = async {
        pipe.read_to_string(&mut stderr).await.unwrap();
        child.wait().await.unwrap()
    };
    let status = timeout(PATIENCE, ended).await.expect("the process did not end");
    (status, stderr)
}

/// The text with `#` for each number, to compare a transcript with another run.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut without = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() {
            without.push(c);
        } else if !without.ends_with('#') {
            without.push('#');
        }
    }
    without
}
