//! A room that is defended: the lock, who knocks, who is removed, and its end.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sightline_e2e::{
    browser::Engine,
    native_peer::NativePeer,
    page::Page,
    snapshot::Snapshot,
    stage::{Pair, Scene, Stage},
};

use crate::trust::{SECRET, code_of, open_lock};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_mixed_pairs(a_locked_room_lets_in_only_whom_its_host_lets_in),
        stage.test_in_mixed_pairs(a_removed_member_is_gone_at_once_and_has_to_knock),
        stage.test_in_each(a_visitor_shows_the_host_a_picture_only_if_it_likes),
        stage.test_in_each(a_host_ends_the_room_for_everyone),
        stage.test_in_each(a_host_makes_another_and_leaves_and_the_lock_stays),
        stage.test_in_each(a_host_stays_host_through_a_reload_and_a_restart_of_the_server),
    ]
    .into_iter()
    .flatten()
    .chain([stage.test(a_removal_from_a_protected_room_changes_the_link_for_those_who_stay)])
    .collect()
}

/// Saves a picture for a person, if `SIGHTLINE_HOST` names a folder.
async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = env::var_os("SIGHTLINE_HOST").map(PathBuf::from) else { return Ok(()) };
    let engine = page.browser.profile.engine.name();
    let picture = |name: &str| folder.join(format!("{name}-{engine}.png"));
    page.browser.driver.screenshot(&picture(name)).await?;
    page.set_viewport(390, 780).await?;
    page.browser.driver.screenshot(&picture(&format!("{name}-phone"))).await?;
    page.browser.set_viewport(None).await
}

fn camera(room: &str, name: &str) -> String {
    format!("/room/{room}?name={name}&autojoin=1&lang=en&source=camera&width=160&height=120&fps=5")
}

async fn enter(page: &Page, room: &str, name: &str) -> Result<()> {
    page.open(&camera(room, name)).await?;
    page.until(&format!("{name} is in the room"), |page| {
        page.shows("room") && page.connection.as_deref() == Some("connected")
    })
    .await?;
    Ok(())
}

/// Opens the invitation, where a host finds the lock, switches the lock, and closes the invitation.
async fn switch_lock(page: &Page) -> Result<()> {
    page.click("share-link").await?;
    page.until("the lock can be switched", |page| page.shows("room-lock")).await?;
    page.click("room-lock").await?;
    page.press("\u{e00c}").await
}

fn is_locked(page: &Snapshot) -> bool {
    page.shows("room-locked")
}

/// Clicks a button of a member's tile.
async fn click_on_tile(page: &Page, name: &str, test_id: &str) -> Result<()> {
    let script = "document.querySelector(`[data-testid=tile][data-name=${arguments[0]}] [data-testid=${arguments[1]}]`).click()";
    page.execute(script, vec![json!(name), json!(test_id)]).await
}

/// Number of elements with this name, shown or not.
async fn count(page: &Page, test_id: &str) -> Result<usize> {
    page.execute(
        "return document.querySelectorAll(`[data-testid=${arguments[0]}]`).length",
        vec![json!(test_id)],
    )
    .await
}

async fn knocking(page: &Page) -> Result<Vec<String>> {
    page.execute(
        "return [...document.querySelectorAll('[data-testid=knock]')].map(card => card.dataset.name)",
        vec![],
    )
    .await
}

async fn text(page: &Page, test_id: &str) -> Result<String> {
    let script = "return document.querySelector(`[data-testid=${arguments[0]}]`)?.textContent ?? ''";
    page.execute(script, vec![json!(test_id)]).await
}

async fn a_locked_room_lets_in_only_whom_its_host_lets_in(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([pair[0], pair[1], Engine::Chromium]).await?;
    enter(&ada, "locked", "Ada").await?;
    enter(&bob, "locked", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    ensure!(count(&ada, "member-remove").await? == 1 && count(&bob, "member-remove").await? == 0);
    switch_lock(&ada).await?;
    for page in [&ada, &bob] {
        page.until("the room is locked", is_locked).await?;
    }
    keep(&ada, "locked").await?;

    eve.open(&camera("locked", "Eve")).await?;
    eve.until("Eve waits", |page| page.shows("waiting") && !page.shows("room")).await?;
    keep(&eve, "waiting").await?;
    ada.until("Ada sees the knock", |page| page.shows("knock")).await?;
    ensure!(knocking(&ada).await? == ["Eve"]);
    ensure!(text(&ada, "knock-announcement").await? == "Eve wants to come in");
    keep(&ada, "knock").await?;
    ensure!(!bob.look().await?.shows("knock") && bob.look().await?.tiles.len() == 2);
    ada.click("knock-refuse").await?;
    eve.until_notice("knock-refused").await?;
    ada.until("nobody knocks", |page| !page.shows("knock")).await?;

    eve.click_in_notice("knock-refused").await?;
    ada.until("Eve knocks again", |page| page.shows("knock")).await?;
    // By the keyboard.
    ada.focus("knock-admit").await?;
    ada.press(" ").await?;
    for other in ["Ada", "Bob"] {
        eve.until_connected_to(other).await?;
    }
    ada.until_picture_moves("Eve").await?;
    bob.until_picture_moves("Eve").await?;
    ensure!(is_locked(&eve.look().await?));

    // Whoever is in the room comes back without a question.
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    ensure!(!ada.look().await?.shows("knock"));
    Ok(())
}

async fn a_removed_member_is_gone_at_once_and_has_to_knock(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob, cy] = scene.pages_in([pair[0], pair[1], Engine::Chromium]).await?;
    enter(&ada, "removed", "Ada").await?;
    enter(&bob, "removed", "Bob").await?;
    enter(&cy, "removed", "Cy").await?;
    for page in [&ada, &cy] {
        page.until_picture_moves("Bob").await?;
    }
    click_on_tile(&ada, "Bob", "member-remove").await?;
    ada.until("Ada is asked", |page| page.shows("remove-dialog")).await?;
    keep(&ada, "remove").await?;
    ensure!(ada.look().await?.focused.as_deref() == Some("remove-keep"));
    ada.click("remove-keep").await?;
    ada.until("Bob stays", |page| !page.shows("remove-dialog") && page.tiles.len() == 3).await?;
    click_on_tile(&ada, "Bob", "member-remove").await?;
    ada.click("remove-confirm").await?;
    for page in [&ada, &cy] {
        page.until("Bob is gone", |page| page.tiles.len() == 2 && is_locked(page)).await?;
    }
    bob.until_notice("removed").await?;
    keep(&bob, "removed").await?;
    ensure!(bob.look().await?.tiles.is_empty());

    bob.click_in_notice("removed").await?;
    bob.until("the lobby is there", |page| page.shows("lobby")).await?;
    bob.fill("name-input", "Bob").await?;
    bob.click("join").await?;
    bob.until("Bob has to wait", |page| page.shows("waiting")).await?;
    ada.until("Ada is asked", |page| page.shows("knock")).await?;
    ada.click("knock-admit").await?;
    bob.until_connected_to("Ada").await?;
    bob.until_connected_to("Cy").await?;
    cy.until_picture_moves("Bob").await?;
    Ok(())
}

/// Address, text alternative and size of a picture.
async fn picture(page: &Page, test_id: &str) -> Result<(String, String, u32)> {
    let script = "const picture = document.querySelector(`[data-testid=${arguments[0]}]`);
        return [picture.src, picture.alt, picture.naturalWidth]";
    page.execute(script, vec![json!(test_id)]).await
}

async fn a_visitor_shows_the_host_a_picture_only_if_it_likes(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, eve] = scene.pages_in([engine, engine]).await?;
    ada.open(&format!("{}#{SECRET}", camera("pictures", "Ada"))).await?;
    ada.until("Ada is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    switch_lock(&ada).await?;
    ada.until("the room is locked", is_locked).await?;

    let lobby = format!("/room/pictures?name=Eve&lang=en&source=camera&width=320&height=240&fps=5#{SECRET}");
    eve.open(&lobby).await?;
    eve.until("Eve has the choice", |page| page.shows("knock-picture")).await?;
    eve.until_preview_moves().await?;
    let is_on: bool =
        eve.execute("return document.querySelector('[data-testid=knock-picture]').checked", vec![]).await?;
    ensure!(!is_on, "nobody shows a picture without saying so");
    eve.click("join").await?;
    ada.until("Eve knocks", |page| page.shows("knock")).await?;
    ensure!(count(&eve, "waiting-picture").await? == 0);
    ada.click("knock-refuse").await?;
    eve.until_notice("knock-refused").await?;
    ensure!(count(&ada, "knocker-picture").await? == 0);

    eve.open("about:blank").await?;
    eve.open(&lobby).await?;
    eve.until("Eve has the choice", |page| page.shows("knock-picture")).await?;
    eve.until_preview_moves().await?;
    eve.click("knock-picture").await?;
    keep(&eve, "knock-picture").await?;
    eve.click("join").await?;
    ada.until("Ada sees Eve", |page| page.shows("knocker-picture")).await?;
    let (address, alt, width) = picture(&ada, "knocker-picture").await?;
    ensure!(
        address.starts_with("data:image/jpeg;base64,/9j/") && alt == "Picture of Eve",
        "{alt}: {address:.40}"
    );
    ensure!((16..=320).contains(&width), "{width}");
    eve.until("Eve sees what Ada sees", |page| page.shows("waiting-picture")).await?;
    ensure!(picture(&eve, "waiting-picture").await?.0 == address);
    keep(&ada, "knocker").await?;
    keep(&eve, "waiting-picture").await?;
    ada.click("knock-admit").await?;
    eve.until_connected_to("Ada").await?;
    ensure!(count(&ada, "knocker-picture").await? == 0 && count(&eve, "waiting-picture").await? == 0);
    ada.until_picture_moves("Eve").await
}

async fn a_removal_from_a_protected_room_changes_the_link_for_those_who_stay(scene: &Scene) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([Engine::Chromium, Engine::Firefox, Engine::Chromium]).await?;
    let (origin, old) = (ada.origin().to_owned(), format!("#{SECRET}"));
    let address = |name: &str, fragment: &str| format!("{}{fragment}", camera("sealed", name));
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob"), (&eve, "Eve")] {
        page.open(&address(name, &old)).await?;
        page.until(&format!("{name} is in the room"), |page| page.connection.as_deref() == Some("connected"))
            .await?;
    }
    let mut carl = NativePeer::start("chat", &origin, &format!("sealed{old}"), "Carl", &[""; 0])?;
    for page in [&ada, &bob] {
        page.until_connected_to("Eve").await?;
        page.until_connected_to("Carl").await?;
    }
    ada.until_connected_to("Bob").await?;
    open_lock(&ada, "Carl").await?;
    let code = code_of(&ada, "Carl").await?;
    let words: Value = serde_json::from_str(include_str!("../../locales/en.json"))?;
    let words: Vec<_> = words["code"]["words"].as_str().unwrap_or_default().split(' ').collect();
    let shown: Vec<_> =
        code.split('-').filter_map(|number| words.get(number.parse::<usize>().ok()?)).collect();
    let at_carl = carl.event("code", |event| event["name"] == "Ada").await?;
    ensure!(at_carl["words"] == json!(shown), "{at_carl} and {shown:?}");

    click_on_tile(&ada, "Eve", "member-remove").await?;
    ada.until("Ada is asked", |page| page.shows("remove-link")).await?;
    keep(&ada, "remove-protected").await?;
    ada.click("remove-confirm").await?;
    eve.until_notice("removed").await?;
    let link = carl.event("link_changed", |_| true).await?["link"].as_str().unwrap_or_default().to_owned();
    let new = link.split_once('#').map(|(_, secret)| format!("#{secret}")).unwrap_or_default();
    ensure!(new.len() == old.len() && new != old, "{link}");
    for page in [&ada, &bob] {
        let seen = page
            .until("the new link", |page| {
                page.fragment == new && page.invitation.as_deref().is_some_and(|shown| shown.ends_with(&new))
            })
            .await?;
        ensure!(seen.tiles.len() == 3 && seen.notices.is_empty(), "{seen:#?}");
    }
    bob.until_picture_moves("Ada").await?;

    // Otherwise the browser would stay on the page, since the address is the same.
    eve.open("about:blank").await?;
    eve.open(&address("Eve", &old)).await?;
    eve.until_notice("link-changed").await?;
    keep(&eve, "link-changed").await?;

    switch_lock(&ada).await?;
    bob.until("the room is open", |page| !is_locked(page)).await?;
    eve.open(&address("Fay", &new)).await?;
    for other in ["Ada", "Bob", "Carl"] {
        eve.until_connected_to(other).await?;
    }
    bob.until_picture_moves("Fay").await?;
    // The place, and what the tab keeps of it, moved to the new link.
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    let seen = bob.until_connected_to("Fay").await?;
    ensure!(seen.fragment == new && seen.notices.is_empty(), "{seen:#?}");
    carl.end().await
}

async fn a_host_ends_the_room_for_everyone(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    enter(&ada, "ended", "Ada").await?;
    enter(&bob, "ended", "Bob").await?;
    bob.until_connected_to("Ada").await?;
    ada.until_connected_to("Bob").await?;
    ada.click("share-link").await?;
    ada.until("Ada can end the room", |page| page.shows("end-room")).await?;
    keep(&ada, "controls").await?;
    ada.click("end-room").await?;
    ada.until("Ada is asked", |page| page.shows("end-confirm")).await?;
    keep(&ada, "end").await?;
    ada.click("end-confirm").await?;
    for page in [&ada, &bob] {
        page.until_notice("room-ended").await?;
    }
    Ok(())
}

async fn a_host_makes_another_and_leaves_and_the_lock_stays(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, Engine::Chromium]).await?;
    enter(&ada, "passed-on", "Ada").await?;
    enter(&bob, "passed-on", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    click_on_tile(&ada, "Bob", "member-make-host").await?;
    switch_lock(&bob).await?;
    ada.until("the room is locked", is_locked).await?;
    ada.click("leave").await?;
    bob.until("Bob is alone", |page| page.tiles.len() == 1 && is_locked(page)).await?;
    eve.open(&camera("passed-on", "Eve")).await?;
    bob.until("Eve knocks", |page| page.shows("knock")).await?;
    bob.click("knock-admit").await?;
    eve.until_connected_to("Bob").await?;
    switch_lock(&bob).await?;
    eve.until("the room is open", |page| !is_locked(page)).await?;
    Ok(())
}

async fn a_host_stays_host_through_a_reload_and_a_restart_of_the_server(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, Engine::Chromium]).await?;
    enter(&ada, "kept", "Ada").await?;
    enter(&bob, "kept", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    switch_lock(&ada).await?;
    bob.until("the room is locked", is_locked).await?;
    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    ensure!(is_locked(&ada.look().await?));
    ada.expect_no_server();
    bob.expect_no_server();
    scene.server().await?.kill().await?;
    for page in [&ada, &bob] {
        page.until("the server is missed", |page| page.connection.as_deref() == Some("reconnecting")).await?;
    }
    scene.server().await?.come_back().await?;
    for page in [&ada, &bob] {
        page.until("the page is back", |page| {
            page.connection.as_deref() == Some("connected") && is_locked(page)
        })
        .await?;
    }
    eve.open(&camera("kept", "Eve")).await?;
    eve.until("Eve waits", |page| page.shows("waiting")).await?;
    ada.until("Ada is asked", |page| page.shows("knock")).await?;
    ensure!(!bob.look().await?.shows("knock"));
    ada.click("knock-admit").await?;
    eve.until_connected_to("Bob").await?;
    Ok(())
}
