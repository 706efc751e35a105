//! Somebody in an attacked call: a page in a browser, or `sightline-peer`.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sightline_e2e::{browser::Engine, native_peer::NativePeer, page::Page, stage::Scene};

use crate::trust::{SECRET, keep};

/// Opens what is behind the locks of all connected members with a name. A server may list a member twice.
const OPEN_LOCKS: &str = "
    const tiles = document.querySelectorAll(`[data-testid=tile][data-name=${arguments[0]}][data-state=connected]`);
    for (const lock of [...tiles].flatMap(tile => [...tile.querySelectorAll('[data-testid=tile-trust]')])) {
        if (!lock.open) lock.querySelector('summary').click();
    }";
const NOTICE: &str = "signals-refused";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Page(Engine),
    Terminal,
}

impl Kind {
    /// The word in the names of tests.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page(engine) => engine.name(),
            Self::Terminal => "terminal",
        }
    }
}

pub(super) enum Party {
    Page(Arc<Page>),
    Terminal(Option<Box<Terminal>>),
}

/// A running `sightline-peer chat`, and what it printed so far.
pub(super) struct Terminal {
    peer: NativePeer,
    seen: Seen,
}

/// What a party sees at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Whether it reports refused signals.
    pub(super) reports: bool,
    pub(super) others: Vec<Other>,
    /// The names of whoever knocks.
    pub(super) knocks: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Other {
    id: String,
    /// Empty if the name cannot be read.
    pub(super) name: String,
    /// Everything that is shown of this member.
    pub(super) text: String,
    pub(super) is_connected: bool,
    /// Whether a connection is shown as protected.
    pub(super) is_protected: bool,
    code: Option<String>,
}

impl Seen {
    pub(super) fn is_connected_to(&self, name: &str) -> bool {
        self.others.iter().any(|other| other.name == name && other.is_connected)
    }
}

/// The parties of these kinds, none of which is in a room yet.
pub(super) async fn all(scene: &Scene, kinds: &[Kind]) -> Result<Vec<Party>> {
    let engines: Vec<_> = kinds
        .iter()
        .filter_map(|kind| if let Kind::Page(engine) = kind { Some(*engine) } else { None })
        .collect();
    let mut pages = scene.pages_of(&engines).await?.into_iter();
    let parties = kinds.iter().map(|kind| match kind {
        Kind::Page(_) => pages.next().map(Party::Page).context("a page is missing"),
        Kind::Terminal => Ok(Party::Terminal(None)),
    });
    parties.collect()
}

impl Party {
    pub(super) async fn enter(&mut self, origin: &str, room: &str, name: &str) -> Result<()> {
        match self {
            Self::Page(page) => {
                let address = format!("{origin}/room/{room}?name={name}&autojoin=1&source=none#{SECRET}");
                // Some attacks leave a connection without candidates.
                page.expect_console_error("WebRTC: ICE failed");
                page.open(&address).await?;
                page.until(&format!("{name} is in the room"), |page| page.shows("room")).await?;
            }
            Self::Terminal(terminal) => {
                let mut peer =
                    NativePeer::start("chat", origin, &format!("{room}#{SECRET}"), name, &["--stay"])?;
                peer.event("entered", |_| true).await?;
                *terminal = Some(Box::new(Terminal { peer, seen: Seen::default() }));
            }
        }
        Ok(())
    }

    /// Is gone without a goodbye.
    pub(super) async fn leave(&mut self) -> Result<()> {
        match self {
            Self::Page(page) => page.open("about:blank").await,
            Self::Terminal(terminal) => {
                *terminal = None;
                Ok(())
            }
        }
    }

    pub(super) async fn look(&mut self) -> Result<Seen> {
        match self {
            Self::Page(page) => look_at(page).await,
            Self::Terminal(terminal) => terminal.as_mut().context("it is in no room")?.look(),
        }
    }

    /// The code to compare with the connected member of this name, as pages write it.
    pub(super) async fn code_of(&mut self, name: &str) -> Result<Option<String>> {
        if let Self::Page(page) = self {
            let () = page.execute(OPEN_LOCKS, vec![json!(name)]).await?;
        }
        let of_that_name = |other: &Other| other.is_connected && other.name == name;
        Ok(self.look().await?.others.into_iter().find(of_that_name).and_then(|other| other.code))
    }

    /// Saves a picture for a person.
    pub(super) async fn keep(&self, name: &str) -> Result<()> {
        match self {
            Self::Page(page) => keep(page, name).await,
            Self::Terminal(_) => Ok(()),
        }
    }
}

async fn look_at(page: &Page) -> Result<Seen> {
    let seen = page.look().await?;
    let knocks = "return [...document.querySelectorAll('[data-testid=knock]')].map(card => card.innerText)";
    let others = seen.tiles.iter().filter(|tile| tile.member != "local").map(|tile| Other {
        id: tile.member.clone(),
        name: tile.name.clone(),
        text: tile.text.clone(),
        is_connected: tile.state.as_deref() == Some("connected"),
        is_protected: tile.trust.as_deref() == Some("protected"),
        code: tile.code.clone(),
    });
    Ok(Seen {
        reports: seen.has_notice(NOTICE),
        others: others.collect(),
        knocks: page.execute(knocks, vec![]).await?,
    })
}

impl Terminal {
    /// Takes what was printed meanwhile.
    fn look(&mut self) -> Result<Seen> {
        for event in self.peer.arrived()? {
            self.take(&event)?;
        }
        Ok(self.seen.clone())
    }

    fn take(&mut self, event: &Value) -> Result<()> {
        let Seen { reports, others, .. } = &mut self.seen;
        let id = event["id"].as_str().unwrap_or_default();
        match event["event"].as_str().unwrap_or_default() {
            "member_came" => {
                let name = event["name"].as_str().unwrap_or_default().to_owned();
                // A terminal that was started with a secret has no other connections than protected ones.
                let (id, text, is_protected) = (id.to_owned(), event.to_string(), true);
                others.push(Other { id, name, text, is_protected, ..Other::default() });
            }
            "member_connected" => {
                others.iter_mut().filter(|other| other.id == id).for_each(|other| other.is_connected = true);
            }
            "member_left" => others.retain(|other| other.id != id),
            "code" => {
                let code = number_words(&event["words"])?;
                let other = others.iter_mut().find(|other| other.id == id);
                other.context("a code of nobody")?.code = Some(code);
            }
            "warning" => *reports |= event["code"] == NOTICE,
            _ => {}
        }
        Ok(())
    }
}

/// The four words of a code as the numbers that pages write.
fn number_words(code: &Value) -> Result<String> {
    let texts: Value = serde_json::from_str(include_str!("../../../locales/en.json"))?;
    let words: Vec<_> = texts["code"]["words"].as_str().unwrap_or_default().split(' ').collect();
    let spoken = code.as_array().context("a code is a list of words")?;
    let numbers: Option<Vec<_>> =
        spoken.iter().map(|spoken| words.iter().position(|word| json!(word) == *spoken)).collect();
    let numbers: Vec<_> = numbers.context("an unknown word")?.iter().map(ToString::to_string).collect();
    ensure!(numbers.len() == 4, "{code}");
    Ok(numbers.join("-"))
}
