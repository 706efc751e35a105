//! A network namespace.

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    process::{self, Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::NetlabError;

/// A named network namespace with a loopback device, removed when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace with a name that nobody else has.
    ///
    /// # Errors
    /// [`NetlabError`] where `ip` refuses.
    pub fn new() -> Result<Self, NetlabError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("netlab-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        let namespace = Self { name };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// The name for `ip netns`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run in the namespace.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `ip` in the namespace.
    ///
    /// # Errors
    /// [`NetlabError`] where `ip` refuses.
    pub fn ip(&self, arguments: &[&str]) -> Result<Output, NetlabError> {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// Calls `inside` on a new thread in this namespace. Sockets made there belong to the namespace, also when other threads use
    /// them.
    ///
    /// # Errors
    /// [`NetlabError::Enter`] where the namespace cannot be entered.
    pub fn run<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T, NetlabError> {
        let handle = File::open(format!("/run/netns/{}", self.name)).map_err(NetlabError::Enter)?;
        thread::scope(|scope| {
            let entered = scope.spawn(move || {
                move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network))
                    .map_err(|error| NetlabError::Enter(error.into()))?;
                Ok(inside())
            });
            entered
                .join()
                .unwrap_or_else(|_| Err(NetlabError::Enter(io::Error::other("the thread panicked"))))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Processes that still run in the namespace keep it alive, without a name.
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

pub(crate) fn ip(arguments: &[&str]) -> Result<Output, NetlabError> {
    let output = Command::new("ip").args(arguments).output().map_err(NetlabError::NoIp)?;
    if output.status.success() {
        Ok(output)
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(NetlabError::Ip { command: arguments.join(" "), said })
    }
}
