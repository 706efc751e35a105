//! A failed browser call is recorded where a person can read and copy it: in the connection's log and in the console.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(an_api_call_that_the_browser_refuses_is_in_both_logs),
        stage.test_in_each(the_console_logs_every_step_if_the_address_asks_for_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn an_api_call_that_the_browser_refuses_is_in_both_logs(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("refused", "Ada", "source=camera&probe=console&probe=limits-refused").await?;
    bob.enter("refused", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    ada.click("stats-toggle").await?;
    until("the refusal in the connection's log", PATIENCE, async || {
        let log: String = ada
            .execute("return document.querySelector('[data-testid=event-log]')?.textContent ?? ''", vec![])
            .await?;
        let is_there =
            log.contains("failed_call") && log.contains("setParameters: InvalidModificationError: played");
        Ok(if is_there { Ok(()) } else { Err(log) })
    })
    .await?;
    let written = written(&ada).await?;
    let refusal = written.iter().find(|(_, line)| line.contains("method=setParameters"));
    ensure!(
        refusal.is_some_and(
            |(level, line)| level == "warn" && line.starts_with("sightline: call failed member=")
        ),
        "{written:?}"
    );
    // Without `log` in the address, the page writes warnings only.
    ensure!(written.iter().all(|(level, _)| level == "warn"), "{written:?}");
    Ok(())
}

async fn the_console_logs_every_step_if_the_address_asks_for_it(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    // The secret of a protected room, behind the parameters.
    let secret_of_room = "7Fq2mX9cLr0sKd3WvTbYhA";
    ada.enter_with("logged", "Ada", &format!("source=camera&probe=console&log=debug#{secret_of_room}"))
        .await?;
    bob.enter_with("logged", "Bob", &format!("source=camera&probe=console&log=debug,sdp#{secret_of_room}"))
        .await?;
    ada.until_connected_to("Bob").await?;
    ada.say("a secret word").await?;
    ada.until_delivered("a secret word").await?;
    let at_ada = written(&ada).await?;
    for step in [
        "sightline: socket open ",
        "sightline: entered member=",
        "sightline: link opening link=",
        "method=setLocalDescription",
        "connection_state=connected",
        "sightline: channel open link=",
        "sightline: member connected member=",
    ] {
        ensure!(at_ada.iter().any(|(_, line)| line.contains(step)), "no {step:?} in {at_ada:#?}");
    }
    for secret in ["a secret word", "Ada", "v=0", "ice-pwd", "typ host", secret_of_room] {
        ensure!(!at_ada.iter().any(|(_, line)| line.contains(secret)), "{secret:?} is in {at_ada:#?}");
    }
    let at_bob = written(&bob).await?;
    ensure!(!at_bob.iter().any(|(_, line)| line.contains(secret_of_room)), "the secret is in {at_bob:#?}");
    let descriptions: Vec<_> = at_bob.iter().filter(|(_, line)| line.contains("v=0")).collect();
    ensure!(descriptions.len() >= 2, "{at_bob:#?}");
    for (_, line) in descriptions {
        ensure!(line.contains("a=ice-pwd:(left out)"), "{line}");
        ensure!(line.matches("a=ice-pwd:").count() == line.matches("(left out)").count(), "{line}");
    }
    Ok(())
}

/// The lines that the page wrote to the console, with their levels.
async fn written(page: &Page) -> Result<Vec<(String, String)>> {
    page.execute("return sightlineProbe.written", vec![]).await
}
