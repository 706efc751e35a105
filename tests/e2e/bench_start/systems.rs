//! What is measured, and how its pages are operated.

use anyhow::Result;
use sightline_e2e::{page::Page, wait::PATIENCE, wait::until};

/// The camera of all systems. Small to encode, because both browsers share the machine; the first frame comes within 33 ms.
const CAMERA: &str = "width=640&height=360&fps=30";

/// The secret of the room: the usual invitation of Sightline.
const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// A system that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Sightline,
    /// Its minimal call, with `PeerServer`; the click opens its socket.
    PeerJs,
    /// `RTCPeerConnection` and `WebSocket` without a library; the click opens the socket.
    Raw,
    /// The same with the socket open before the click.
    RawAhead,
}

impl System {
    pub(super) const ALL: [Self; 4] = [Self::Sightline, Self::PeerJs, Self::Raw, Self::RawAhead];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sightline => "sightline",
            Self::PeerJs => "peerjs",
            Self::Raw => "raw",
            Self::RawAhead => "raw-ahead",
        }
    }

    /// Lets a page wait in a room with its camera on.
    pub(super) async fn wait(self, page: &Page, room: &str) -> Result<()> {
        match self {
            Self::Sightline => {
                page.open(&format!("/room/{room}?name=Ada&autojoin=1&source=camera&{CAMERA}#{SECRET}"))
                    .await?;
                page.until("it is connected to the server", |page| {
                    page.shows("room") && page.connection.as_deref() == Some("connected")
                })
                .await?;
            }
            Self::PeerJs | Self::Raw | Self::RawAhead => {
                page.open(&format!("/{}?room={room}&{CAMERA}&wait", self.document())).await?;
                let ready = "return document.body.dataset.state === 'ready'";
                until("the page to wait", PATIENCE, async || {
                    let is_ready: bool = page.execute(ready, vec![]).await?;
                    Ok(if is_ready { Ok(()) } else { Err("it is not ready".to_owned()) })
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Opens the page of the person who joins, until there is a button and the own picture.
    pub(super) async fn open_lobby(self, page: &Page, room: &str) -> Result<()> {
        let path = match self {
            Self::Sightline => format!("/room/{room}?name=Bob&source=camera&{CAMERA}#{SECRET}"),
            Self::PeerJs | Self::Raw => format!("/{}?room={room}&{CAMERA}", self.document()),
            Self::RawAhead => format!("/{}?room={room}&{CAMERA}&ahead", self.document()),
        };
        page.open(&path).await?;
        page.until_preview_moves().await?;
        page.until("there is a button to join", |page| page.shows("join")).await?;
        Ok(())
    }

    fn document(self) -> &'static str {
        if self == Self::PeerJs { "peerjs.html" } else { "raw.html" }
    }
}
