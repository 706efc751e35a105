//! `chat` in a terminal: the line that a person edits, and what is printed meanwhile.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::fd::OwnedFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    thread,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use tokio::{process::Child, sync::mpsc, time::timeout};

use crate::harness::{Member, PATIENCE, TestServer, program};

/// A terminal with a program in it.
struct Screen {
    keyboard: File,
    shown: mpsc::Receiver<Vec<u8>>,
    /// What was shown after the last text that a test waited for.
    text: String,
    /// Everything that was shown.
    all: String,
    terminal: File,
    child: Child,
}

impl Screen {
    fn start(arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let terminal = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let end = || Stdio::from(OwnedFd::from(terminal.try_clone().unwrap()));
        let mut command = program();
        command.args(arguments).env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        let child = command.kill_on_drop(true).spawn().unwrap();
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        let (to, shown) = mpsc::channel(64);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                if to.blocking_send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, shown, text: String::new(), all: String::new(), terminal, child }
    }

    fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `wanted` is on the screen, and forgets everything up to its end.
    async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            self.read().await;
        }
        let at = self.text.find(wanted).unwrap();
        self.text.drain(..at + wanted.len());
    }

    /// Waits until the editor has begun this number of lines. Before that, and between two lines, keys do not go to the editor.
    async fn until_prompt(&mut self, number: usize) {
        // The editor lets the terminal mark pasted text as long as it edits.
        while self.all.matches("\x1b[?2004h").count() < number {
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let Ok(Some(bytes)) = timeout(PATIENCE, self.shown.recv()).await else {
            panic!("nothing comes after {:?}", self.text);
        };
        let text = String::from_utf8_lossy(&bytes);
        self.all.push_str(&text);
        self.text.push_str(&text);
    }

    async fn end(mut self) -> (ExitStatus, File) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("the process did not end").unwrap();
        (status, self.terminal)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_edited_survives_a_message_comes_again_from_the_history_and_may_be_a_command() {
    let server = TestServer::start();
    let room = server.room("editor");
    let mut ada = Member::start("chat", &room, "Ada", &[""; 0]);
    ada.event("entered").await;
    let mut ben = Screen::start(&["chat", &room, "--name", "Ben"]);
    ben.until("* Ada is here").await;
    ben.until_prompt(1).await;
    ada.event("member_connected").await;
    ben.type_keys("hel");
    ben.until("hel").await;
    ada.say("are you there?").await;
    ben.until("Ada: are you there?").await;
    ben.until("> hel").await;
    ben.type_keys("lo\r");
    assert_eq!(ada.event("message").await["text"], "hello");
    ben.until_prompt(2).await;
    ben.type_keys("\x1b[A!\r");
    assert_eq!(ada.event("message").await["text"], "hello!");
    ben.until_prompt(3).await;
    ben.type_keys("/members\r");
    ben.until("Here: Ada.").await;
    ben.until_prompt(4).await;
    ben.type_keys("/code Ada\r");
    ben.until("* code with Ada: ").await;
    ben.until_prompt(5).await;
    ben.type_keys("/verified Ada\r");
    ben.until("Verified: nobody stands between you and Ada.").await;
    ben.until_prompt(6).await;
    ben.type_keys("\x04");
    let (status, terminal) = ben.end().await;
    assert_eq!(status.code(), Some(0));
    let modes = tcgetattr(&terminal).unwrap().local_modes;
    assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "the terminal is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_while_a_line_is_edited_gives_the_terminal_back() {
    let server = TestServer::start();
    let room = server.room("ends");
    for keys in ["half a line\x03", "half a line"] {
        let mut ben = Screen::start(&["chat", &room, "--name", "Ben"]);
        ben.until("Ctrl-D leaves").await;
        ben.until_prompt(1).await;
        ben.type_keys(keys);
        ben.until("half a line").await;
        if !keys.ends_with('\x03') {
            let process = rustix::process::Pid::from_raw(ben.child.id().unwrap().cast_signed()).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        }
        ben.until("error: Interrupted. (interrupted)").await;
        let (status, terminal) = ben.end().await;
        assert_eq!(status.code(), Some(130));
        let modes = tcgetattr(&terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "{keys:?}");
    }
}
