//! A server that attacks protected calls of real pages in every way that the native machine is tested with: of each attempt nobody
//! may stand in between, and the pages have to report what was changed.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sightline_e2e::{
    page::Page,
    signaling_proxy::SignalingProxy,
    snapshot::{Snapshot, Tile},
    stage::{Pair, Scene, Stage},
};
use tokio::time::{Instant, sleep};

/// 128 bits, as an invitation has them.
const SECRET: &str = "7Fq2mX9cLr0sKd3WvTbYhA";
/// A call that comes is there within this time.
const WATCHED: Duration = Duration::from_secs(6);
const FORGED_NAME: &str = "Mallory";
const NOTICE: &str = "signals-refused";

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trick {
    /// A letter of each encrypted signal is another one.
    Altered,
    /// Descriptions of the server's own take the place of encrypted signals.
    Unsealed,
    OtherConnection,
    OtherGeneration,
    Replayed,
    /// Each page gets its own signals back, too, as if the other one had sent them.
    TurnedRound,
    Dropped,
    /// Each signal changes places with the next one.
    Reordered,
    NameAltered,
    NameInTheClear,
    InstanceForged,
    /// The pages enter the room without protection.
    Downgraded,
}

impl Trick {
    const ALL: [Self; 12] = [
        Self::Altered,
        Self::Unsealed,
        Self::OtherConnection,
        Self::OtherGeneration,
        Self::Replayed,
        Self::TurnedRound,
        Self::Dropped,
        Self::Reordered,
        Self::NameAltered,
        Self::NameInTheClear,
        Self::InstanceForged,
        Self::Downgraded,
    ];

    /// Whether a page sees that a signal was changed. What does not come, or comes in another order, may be the network; what was made
    /// for another page looks stale (`docs/security.md`).
    fn is_reported(self) -> bool {
        use Trick::{Altered, OtherConnection, OtherGeneration, Replayed, Unsealed};
        matches!(self, Altered | Unsealed | OtherConnection | OtherGeneration | Replayed)
    }

    /// Whether the other member may be shown without its name only.
    fn takes_the_name(self) -> bool {
        matches!(self, Self::NameAltered | Self::NameInTheClear | Self::InstanceForged | Self::Downgraded)
    }
}

/// The server of one attempt.
struct Attacker {
    trick: Trick,
    /// Messages that were changed, or made by the server.
    changed: u32,
    /// The last signal of each member, and one that is to arrive later.
    signals: Vec<Value>,
    held: Option<Value>,
}

impl Attacker {
    fn change_of_page(&mut self, mut message: Value) -> Vec<Value> {
        if self.trick == Trick::Downgraded && message["type"] == "join" {
            self.changed += 1;
            message["name"] = json!(FORGED_NAME);
            for protection in ["admission", "sealed_name"] {
                message.as_object_mut().map(|join| join.remove(protection));
            }
        }
        vec![message]
    }

    fn change_of_server(&mut self, mut message: Value) -> Vec<Value> {
        match message["type"].as_str() {
            Some("signal") => return self.attack_signal(message),
            Some("joined") => {
                for member in message["members"].as_array_mut().into_iter().flatten() {
                    self.attack_member(member);
                }
            }
            Some("peer_joined") => self.attack_member(&mut message["member"]),
            _ => {}
        }
        vec![message]
    }

    fn attack_signal(&mut self, mut signal: Value) -> Vec<Value> {
        let mut told = vec![signal.clone()];
        match self.trick {
            Trick::Altered => {
                let text = signal["payload"]["sealed"].as_str().unwrap_or_default();
                signal["payload"]["sealed"] = json!(altered(text));
                told = vec![signal];
            }
            Trick::Unsealed => {
                let description = json!({ "kind": "offer", "exchange": 1, "sdp": "v=0\r\n" });
                signal["payload"] = json!({ "description": description });
                told = vec![signal];
            }
            Trick::OtherConnection => {
                signal["connection"] = json!("another-connection");
                told = vec![signal];
            }
            Trick::OtherGeneration => {
                signal["generation"] = json!(signal["generation"].as_u64().unwrap_or_default() + 1);
                told = vec![signal];
            }
            Trick::Replayed => told.push(signal),
            Trick::TurnedRound => {
                let of_the_addressee = self.signals.iter().find(|earlier| earlier["from"] != signal["from"]);
                if let Some(earlier) = of_the_addressee {
                    let mut turned = earlier.clone();
                    turned["from"] = signal["from"].clone();
                    told.push(turned);
                }
                self.signals.retain(|earlier| earlier["from"] != signal["from"]);
                self.signals.push(signal);
                self.changed += u32::from(told.len() > 1);
                return told;
            }
            Trick::Dropped => told.clear(),
            Trick::Reordered => match self.held.take() {
                Some(held) if held["from"] == signal["from"] => told.push(held),
                held => {
                    self.held = Some(signal);
                    told = held.into_iter().collect();
                }
            },
            Trick::NameAltered | Trick::NameInTheClear | Trick::InstanceForged | Trick::Downgraded => {
                return told;
            }
        }
        self.changed += 1;
        told
    }

    fn attack_member(&mut self, member: &mut Value) {
        match self.trick {
            Trick::NameAltered => {
                let name = member["sealed_name"].as_str().unwrap_or_default();
                member["sealed_name"] = json!(altered(name));
            }
            Trick::NameInTheClear => {
                member["name"] = json!(FORGED_NAME);
                member.as_object_mut().map(|member| member.remove("sealed_name"));
            }
            Trick::InstanceForged => member["instance"] = json!("of-the-server"),
            _ => return,
        }
        self.changed += 1;
    }
}

/// The text with another letter in the middle.
fn altered(text: &str) -> String {
    let (beginning, end) = text.split_at(text.len() / 2);
    let other = if end.starts_with('A') { "B" } else { "A" };
    format!("{beginning}{other}{}", end.get(1..).unwrap_or_default())
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(stands_in_no_call_and_changes_nothing_unseen)
}

async fn stands_in_no_call_and_changes_nothing_unseen(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let port = scene.server().await?.port();
    println!("\n{} and {}: changed messages, reported by, call", pair[0].name(), pair[1].name());
    for trick in Trick::ALL {
        let attacker = Arc::new(Mutex::new(Attacker { trick, changed: 0, signals: Vec::new(), held: None }));
        let (there, back) = (Arc::clone(&attacker), Arc::clone(&attacker));
        let proxy = SignalingProxy::start_in_both_directions(
            port,
            move |message| there.lock().unwrap_or_else(PoisonError::into_inner).change_of_page(message),
            move |message| back.lock().unwrap_or_else(PoisonError::into_inner).change_of_server(message),
        )
        .await?;
        let room = format!("attack-{trick:?}").to_lowercase();
        for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
            let url = format!("/room/{room}?name={name}&autojoin=1&source=none#{SECRET}");
            page.open(&proxy.url(&url)).await?;
            page.until(&format!("{name} is in the room"), |page| page.shows("room")).await?;
        }
        let [seen_by_ada, seen_by_bob] = watched([&ada, &bob]).await?;
        let changed = attacker.lock().unwrap_or_else(PoisonError::into_inner).changed;
        let reports = [&seen_by_ada, &seen_by_bob].map(reports);
        let call = others(&seen_by_ada).find(|tile| is_connected(tile)).and_then(|tile| tile.trust.clone());
        println!("{trick:?}: {changed}, {reports:?}, {}", call.as_deref().unwrap_or("none"));
        ensure!(changed > 0, "{trick:?}: the server changed nothing");
        ensure!(
            !trick.is_reported() || reports.contains(&true),
            "{trick:?} was not reported: {seen_by_ada:#?} {seen_by_bob:#?}"
        );
        for seen in [&seen_by_ada, &seen_by_bob] {
            for tile in others(seen) {
                ensure!(!tile.text.contains(FORGED_NAME), "{trick:?}: a forged name is shown: {seen:#?}");
                let is_named = ["Ada", "Bob"].contains(&tile.name.as_str());
                ensure!(!is_named || !trick.takes_the_name(), "{trick:?}: {seen:#?}");
                ensure!(
                    !is_connected(tile) || tile.trust.as_deref() == Some("protected"),
                    "{trick:?}: {seen:#?}"
                );
            }
        }
        if call.is_some() {
            ensure!(code(&ada).await? == code(&bob).await?, "{trick:?}: somebody stands in between");
        }
        for page in [&ada, &bob] {
            page.open("about:blank").await?;
        }
    }
    Ok(())
}

/// What the pages show once both are connected, or after some seconds.
async fn watched(pages: [&Page; 2]) -> Result<[Snapshot; 2]> {
    let began = Instant::now();
    loop {
        let seen = [pages[0].look().await?, pages[1].look().await?];
        let are_connected = seen.iter().all(|seen| others(seen).any(is_connected));
        if began.elapsed() >= WATCHED || are_connected && seen.iter().any(reports) {
            return Ok(seen);
        }
        sleep(Duration::from_millis(250)).await;
    }
}

fn reports(seen: &Snapshot) -> bool {
    seen.notices.iter().any(|notice| notice.code == NOTICE)
}

fn others(seen: &Snapshot) -> impl Iterator<Item = &Tile> {
    seen.tiles.iter().filter(|tile| tile.member != "local")
}

fn is_connected(tile: &Tile) -> bool {
    tile.state.as_deref() == Some("connected")
}

/// The code that the page shows for its only other member.
async fn code(page: &Page) -> Result<Option<String>> {
    let open = "const lock = document.querySelector('[data-testid=tile-trust]');
        if (lock && !lock.open) lock.querySelector('summary').click();";
    let () = page.execute(open, vec![]).await?;
    let has_code = |seen: &Snapshot| others(seen).any(|tile| tile.code.is_some());
    let seen = page.until("there is a code", has_code).await?;
    Ok(others(&seen).find_map(|tile| tile.code.clone()))
}
