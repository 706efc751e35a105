//! Carries TCP connections between a network namespace and the host or another namespace, past the emulated network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdTcpListener, TcpStream as StdTcpStream};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, spawn_blocking},
};

use super::Room;

const CHUNK_BYTES: usize = 16 * 1024;

/// Listens on one side's loopback address and forwards connections to the same port on the other side. While it is cut, nothing
/// passes and no connection ends, as over a dead network: sent bytes arrive afterwards.
#[derive(Debug)]
pub struct Gateway {
    is_cut: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// From where to where connections are carried.
#[derive(Debug, Clone)]
enum Far {
    Host,
    Room(Room),
    /// To this address, from inside the namespace.
    Across(Room, IpAddr),
}

impl Gateway {
    /// Lets programs in a namespace reach a port of the host.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub(crate) fn out_of(room: &Room, port: u16) -> Result<Self> {
        Self::new(listen_in(room, port)?, port, Far::Host)
    }

    /// Lets programs in a namespace reach a port of another one.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub(crate) fn between(room: &Room, other: Room, port: u16) -> Result<Self> {
        Self::new(listen_in(room, port)?, port, Far::Room(other))
    }

    /// Lets programs in a namespace reach a port of another address in its network as a port of their own loopback address.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub(crate) fn across(room: &Room, address: IpAddr, port: u16) -> Result<Self> {
        Self::new(listen_in(room, port)?, port, Far::Across(room.clone(), address))
    }

    /// Lets the host reach a port in a namespace, which is free there: it is one that `listener` has on the host.
    ///
    /// # Errors
    /// The listener has no address.
    pub(crate) fn into(room: Room, listener: StdTcpListener) -> Result<Self> {
        let port = listener.local_addr()?.port();
        Self::new(listener, port, Far::Room(room))
    }

    /// Cuts the connections, or ends the cut.
    pub fn set_cut(&self, is_cut: bool) {
        self.is_cut.send_replace(is_cut);
    }

    fn new(listener: StdTcpListener, port: u16, far: Far) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (is_cut, cut) = watch::channel(false);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (far, cut) = (far.clone(), cut.clone());
                tokio::spawn(async move {
                    // The client sees the end of its connection, which is all that a failure means.
                    let _ = carry(near, port, far, cut).await;
                });
            }
        });
        Ok(Self { is_cut, task })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A free port of the host, reserved by a listener.
///
/// # Errors
/// No port is free.
pub(crate) fn free_port() -> Result<(StdTcpListener, u16)> {
    let listener = StdTcpListener::bind(loopback(0))?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn listen_in(room: &Room, port: u16) -> Result<StdTcpListener> {
    Ok(room.namespace().run(|| StdTcpListener::bind(loopback(port)))??)
}

async fn carry(near: TcpStream, port: u16, far: Far, mut cut: watch::Receiver<bool>) -> Result<()> {
    mended(&mut cut).await?;
    let far = connect(port, far).await?;
    // Small frames pass at once.
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_out, near_in), (far_out, far_in)) = (near.into_split(), far.into_split());
    let there = one_way(near_out, far_in, cut.clone());
    let back = one_way(far_out, near_in, cut);
    tokio::try_join!(there, back)?;
    Ok(())
}

async fn one_way(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut cut: watch::Receiver<bool>,
) -> Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk).await;
        mended(&mut cut).await?;
        match read {
            Ok(0) => return Ok(to.shutdown().await?),
            Ok(length) => to.write_all(&chunk[..length]).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn mended(cut: &mut watch::Receiver<bool>) -> Result<()> {
    cut.wait_for(|is_cut| !is_cut).await.context("the gateway is gone")?;
    Ok(())
}

async fn connect(port: u16, far: Far) -> Result<TcpStream> {
    let (room, address) = match far {
        Far::Host => return Ok(TcpStream::connect(loopback(port)).await?),
        Far::Room(room) => (room, loopback(port)),
        Far::Across(room, address) => (room, (address, port).into()),
    };
    let connecting = spawn_blocking(move || room.namespace().run(|| StdTcpStream::connect(address)));
    let stream = connecting.await???;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream)?)
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
