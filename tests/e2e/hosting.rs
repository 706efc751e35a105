//! The ways of hosting: https, a single file, a static host, and the policies of the page in each.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    proxy::Proxy,
    stage::{Pair, Scene, Stage},
    wait::until,
};

/// A round of checks on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_pairs(two_members_call_over_https_with_the_servers_self_signed_certificate),
        stage.test_in_each(the_page_does_not_violate_its_content_security_policy),
        stage.test_in_each(the_content_security_policy_blocks_foreign_content),
        stage.test_in_each(the_server_binary_alone_serves_the_page),
        stage.test_in_each(the_page_advises_an_option_behind_a_proxy_that_changes_the_host),
        stage.test_in_mixed_pairs(two_members_call_and_reload_on_a_static_host_below_a_path),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn two_members_call_over_https_with_the_servers_self_signed_certificate(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    scene.serve(&["--tls"]).await?;
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("secure", "Ada").await?;
    bob.enter("secure", "Bob").await?;
    let is_secure: bool =
        ada.execute("return isSecureContext && location.protocol === 'https:'", vec![]).await?;
    ensure!(is_secure, "no secure context");
    ada.until_connected_to("Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;

    for page in [&ada, &bob] {
        page.expect_no_server();
    }
    scene.server().await?.terminate().await?;
    ada.until("it is seeking the server", |page| page.connection.as_deref() == Some("reconnecting")).await?;
    ada.until_picture_moves("Bob").await?;
    scene.server().await?.come_back().await?;
    ada.until("the server is found", |page| page.connection.as_deref() == Some("connected")).await?;
    Ok(())
}

async fn the_page_does_not_violate_its_content_security_policy(scene: &Scene, engine: Engine) -> Result<()> {
    let other = if engine == Engine::Chromium { Engine::Firefox } else { Engine::Chromium };
    let [ada, bob] = scene.pages_in([engine, other]).await?;
    ada.open("/").await?;
    ada.until("the home page is there", |page| page.shows("room-input")).await?;
    has_kept_the_policy(&ada).await?;
    ada.open("/room/policy?name=Ada").await?;
    ada.until("the lobby is there", |page| page.shows("lobby")).await?;
    has_kept_the_policy(&ada).await?;
    ada.enter("policy", "Ada").await?;
    bob.enter("policy", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.say("https://example.org/").await?;
    ada.until_delivered("https://example.org/").await?;
    ada.click("stats-toggle").await?;
    ada.until("the figures are there", |page| page.shows("stats-panel")).await?;
    has_kept_the_policy(&ada).await
}

async fn the_content_security_policy_blocks_foreign_content(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/").await?;
    page.until("the home page is there", |page| page.shows("room-input")).await?;
    page.expect_console_error("Content Security Policy");
    page.expect_console_error("Content-Security-Policy");
    page.execute::<()>(
        "const script = document.createElement('script');
         script.textContent = 'window.intruder = true';
         document.head.append(script);
         const frame = document.createElement('iframe');
         frame.src = 'data:text/html,x';
         document.body.append(frame);",
        vec![],
    )
    .await?;
    let seen = page.violations().await?;
    ensure!(seen.iter().any(|seen| seen.starts_with("script-src")), "not stopped: {seen:?}");
    let ran: bool = page.execute("return window.intruder === true", vec![]).await?;
    ensure!(!ran, "a script that was put into the page ran");
    Ok(())
}

async fn the_server_binary_alone_serves_the_page(scene: &Scene, engine: Engine) -> Result<()> {
    scene.serve_alone().await?;
    let page = scene.page(engine).await?;
    page.enter("alone", "Ada").await?;
    page.until("it is connected", |page| page.connection.as_deref() == Some("connected")).await?;
    has_kept_the_policy(&page).await
}

async fn the_page_advises_an_option_behind_a_proxy_that_changes_the_host(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    scene.serve(&[]).await?;
    let proxy = Proxy::start(scene.server().await?.port(), "sightline:8080").await?;
    let page = scene.page(engine).await?;
    page.open(&proxy.url("/room/behind?name=Ada&source=none&autojoin=1")).await?;
    let seen = page.until_notice("origin-refused").await?;
    ensure!(seen.notices.iter().any(|notice| notice.text.contains("--allow-origin")), "{:?}", seen.notices);

    page.expect_no_server();
    page.open(&proxy.url("/check")).await?;
    page.click("check-start").await?;
    until("the doctor names it", PATIENCE, async || {
        let text: String = page.execute("return document.body.innerText", vec![]).await?;
        Ok(if text.contains("--allow-origin") { Ok(()) } else { Err(text) })
    })
    .await
}

async fn two_members_call_and_reload_on_a_static_host_below_a_path(scene: &Scene, pair: Pair) -> Result<()> {
    let host = scene.static_host("/sub/path/").await?;
    scene.serve(&["--allow-origin", &host.origin()]).await?;
    let config = format!("window.sightlineServer = \"ws://localhost:{}\";\n", scene.server().await?.port());
    fs::write(host.folder().join("config.js"), config)?;

    let [ada, bob] = scene.pages_in(pair).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        // There is no file at this path: the host answers with 404.html, and browsers log that.
        page.expect_console_error("404");
        page.open(&host.url(&format!("room/static?name={name}&source=camera&autojoin=1"))).await?;
        page.until(&format!("{name} is in the room"), |page| page.shows("room") && !page.is_busy).await?;
    }
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    let invitation: String = ada.execute(SHARED_URL, vec![]).await?;
    ensure!(invitation == host.url("room/static"), "the invitation is {invitation}");

    ada.browser.driver.refresh().await?;
    ada.until_connected_to("Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let policy: bool = ada.execute(HAS_POLICY, vec![]).await?;
    ensure!(policy, "the page on the static host has no policy");
    has_kept_the_policy(&ada).await
}

const HAS_POLICY: &str = "return !!document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]')";
const SHARED_URL: &str = "return document.querySelector('[data-testid=share-link]').dataset.url";

async fn has_kept_the_policy(page: &Page) -> Result<()> {
    let violations = page.violations().await?;
    ensure!(violations.is_empty(), "against the policy: {violations:?}");
    Ok(())
}
