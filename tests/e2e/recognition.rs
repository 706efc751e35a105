//! People who compared their code recognize each other in later calls, by a key of the browser.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::Snapshot,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::trust::{SECRET, code_of, enter, keep, open_lock};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_mixed_pairs(
            two_who_compared_their_code_know_each_other_in_the_next_room_until_they_forget,
        ),
        stage.test_in_each(
            a_namesake_is_a_warning_and_a_verified_person_under_another_name_is_shown_as_itself,
        ),
        stage.test_in_each(a_browser_that_stores_nothing_calls_and_says_that_it_recognizes_nobody),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The state of the lock of each other member, in alphabetical order.
fn locks(page: &Snapshot) -> Vec<&str> {
    let mut locks: Vec<_> = page.other_tiles().into_iter().filter_map(|tile| tile.trust.as_deref()).collect();
    locks.sort_unstable();
    locks
}

async fn until_locks(page: &Page, expected: &[&str]) -> Result<Snapshot> {
    page.until(&format!("the locks say {expected:?}"), |page| locks(page) == expected).await
}

/// The text behind the lock of a member.
async fn words_of(page: &Page, name: &str) -> Result<String> {
    open_lock(page, name).await?;
    let script = "return document.querySelector(`[data-testid=tile][data-name=${arguments[0]}] [data-testid=tile-trust]`).innerText";
    page.execute(script, vec![json!(name)]).await
}

/// Two pages compare their code in a protected room.
async fn verify(ada: &Page, bob: &Page) -> Result<()> {
    let (origin, fragment) = (ada.origin().to_owned(), format!("#{SECRET}"));
    enter(ada, &origin, "compare", "Ada", &fragment).await?;
    enter(bob, &origin, "compare", "Bob", &format!("&lang=zh-CN{fragment}")).await?;
    let mut codes = Vec::new();
    for (page, other) in [(ada, "Bob"), (bob, "Ada")] {
        page.until_connected_to(other).await?;
        open_lock(page, other).await?;
        codes.push(code_of(page, other).await?);
    }
    ensure!(codes[0] == codes[1], "{codes:?}");
    ada.click("trust-confirm").await?;
    let seen = until_locks(ada, &["verified"]).await?;
    ensure!(!seen.shows("trust-remembered"), "Bob has compared nothing: {seen:#?}");
    bob.click("trust-confirm").await?;
    for page in [ada, bob] {
        page.until("they will recognize each other", |page| page.shows("trust-remembered")).await?;
    }
    Ok(())
}

/// Waits for the state of the list in the open settings, and the names in it.
async fn until_remembered(page: &Page, state: &str, names: &[&str]) -> Result<()> {
    let script = "const list = document.querySelector('[data-testid=remembered]');
        return [list?.dataset.state ?? 'none', [...(list?.querySelectorAll('[data-testid=remembered-person]') ?? [])].map(({ dataset }) => dataset.name)];";
    until("the list of people", PATIENCE, async || {
        let seen: (String, Vec<String>) = page.execute(script, vec![]).await?;
        Ok(if seen.0 == state && seen.1 == names { Ok(()) } else { Err(format!("{seen:?}")) })
    })
    .await
}

/// Tries to read the private key as a script of the page could.
async fn private_key(page: &Page) -> Result<String> {
    let script = "return (async () => {
        const done = (request) => new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        const database = await done(indexedDB.open('sightline.device'));
        const pair = await done(database.transaction('records').objectStore('records').get(['key']));
        database.close();
        if (!(pair.privateKey instanceof CryptoKey)) return 'no key';
        const exported = ['jwk', 'pkcs8'].map((format) => crypto.subtle.exportKey(format, pair.privateKey));
        const results = await Promise.allSettled(exported);
        return `${pair.privateKey.extractable} ${results.map(({ status }) => status)}`;
      })();";
    page.execute(script, vec![]).await
}

async fn two_who_compared_their_code_know_each_other_in_the_next_room_until_they_forget(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    verify(&ada, &bob).await?;
    keep(&ada, "verified-both").await?;
    let origin = ada.origin().to_owned();
    // Another room, whose link protects nothing.
    enter(&ada, &origin, "again", "Ada", "").await?;
    enter(&bob, &origin, "again", "Bob", "&lang=zh-CN").await?;
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        until_locks(page, &["known"]).await?;
        let words = words_of(page, other).await?;
        ensure!(words.contains(other), "{words}");
        keep(page, &format!("known-{other}")).await?;
    }
    ensure!(private_key(&ada).await? == "false rejected,rejected", "the key leaves the browser");
    // A reload has other fingerprints and the same key.
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    until_locks(&ada, &["known"]).await?;

    ada.click("settings-toggle").await?;
    until_remembered(&ada, "on", &["Bob"]).await?;
    let () = ada.execute(SCROLL, vec![]).await?;
    keep(&ada, "settings").await?;
    ada.click("forget-person").await?;
    until_remembered(&ada, "on", &[]).await?;
    until_locks(&ada, &["open"]).await?;
    keep(&ada, "settings-empty").await?;
    until_locks(&bob, &["known"]).await?;

    // Bob forgets in a lobby, with the key.
    bob.open("/room/later?name=Bob&lang=zh-CN").await?;
    bob.click("settings-toggle").await?;
    until_remembered(&bob, "on", &["Ada"]).await?;
    let () = bob.execute(SCROLL, vec![]).await?;
    keep(&bob, "settings-lobby").await?;
    bob.click("forget-everybody").await?;
    until_remembered(&bob, "on", &[]).await?;
    enter(&ada, &origin, "later", "Ada", "").await?;
    enter(&bob, &origin, "later", "Bob", "").await?;
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        page.until_connected_to(other).await?;
        until_locks(page, &["open"]).await?;
    }
    bob.click("settings-toggle").await?;
    until_remembered(&bob, "on", &[]).await
}

async fn a_namesake_is_a_warning_and_a_verified_person_under_another_name_is_shown_as_itself(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob, namesake] = scene.pages_in([engine, Engine::Chromium, engine]).await?;
    verify(&ada, &bob).await?;
    let origin = ada.origin().to_owned();
    enter(&bob, &origin, "names", "Bob", "&lang=zh-CN").await?;
    enter(&namesake, &origin, "names", "BOB", "").await?;
    enter(&ada, &origin, "names", "Ada", "").await?;
    until_locks(&ada, &["known", "other-device"]).await?;
    let words = words_of(&ada, "BOB").await?;
    ensure!(words.contains("somebody else"), "{words}");
    keep(&ada, "namesake").await?;
    let said: String = ada.execute(ANNOUNCED, vec![]).await?;
    ensure!(said.starts_with("BOB: ") && said.contains("somebody else"), "a screen reader says {said:?}");
    // Bob knows Ada, and the namesake is a stranger to him.
    until_locks(&bob, &["known", "open"]).await?;
    enter(&bob, &origin, "names", "Robert", "&lang=zh-CN").await?;
    until_locks(&ada, &["other-device", "renamed"]).await?;
    let words = words_of(&ada, "Robert").await?;
    ensure!(words.contains("Known as Bob"), "{words}");
    keep(&ada, "renamed").await?;

    // Forgets everybody, with the key, in the room.
    ada.click("settings-toggle").await?;
    until_remembered(&ada, "on", &["Bob"]).await?;
    ada.click("forget-everybody").await?;
    until_remembered(&ada, "forgotten", &[]).await?;
    until_locks(&ada, &["open", "open"]).await?;
    let () = ada.execute(SCROLL, vec![]).await?;
    keep(&ada, "settings-forgotten").await?;
    enter(&ada, &origin, "names", "Ada", "").await?;
    until_locks(&ada, &["open", "open"]).await?;
    until_locks(&bob, &["open", "other-device"]).await?;
    open_lock(&bob, "Ada").await?;
    keep(&bob, "other-device-chinese").await
}

async fn a_browser_that_stores_nothing_calls_and_says_that_it_recognizes_nobody(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    let origin = ada.origin().to_owned();
    enter(&bob, &origin, "nothing", "Bob", "").await?;
    for way in ["throws", "fails", "hangs"] {
        enter(&ada, &origin, "nothing", "Ada", &format!("&probe=database-{way}")).await?;
        ada.until_connected_to("Bob").await?;
        until_locks(&ada, &["open"]).await?;
        ada.click("settings-toggle").await?;
        until_remembered(&ada, "off", &[]).await?;
        let () = ada.execute(SCROLL, vec![]).await?;
        keep(&ada, &format!("database-{way}")).await?;
    }
    // The code works all the same.
    ada.press("\u{e00c}").await?;
    open_lock(&ada, "Bob").await?;
    open_lock(&bob, "Ada").await?;
    ensure!(code_of(&ada, "Bob").await? == code_of(&bob, "Ada").await?);
    ada.click("trust-confirm").await?;
    bob.click("trust-confirm").await?;
    for page in [&ada, &bob] {
        until_locks(page, &["verified"]).await?;
    }
    Ok(())
}

const SCROLL: &str = "document.querySelector('[data-testid=remembered]').scrollIntoView({ block: 'end' })";
const ANNOUNCED: &str = "return document.querySelector('[data-testid=trust-announcement]').textContent";
