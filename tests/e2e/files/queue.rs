//! More files than may be open at once.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::until,
};
use sightline_protocol::transfer::MAX_OPEN_TRANSFERS;

use super::two;

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(files_above_the_limit_of_open_offers_arrive_when_earlier_ones_have_ended)
}

async fn files_above_the_limit_of_open_offers_arrive_when_earlier_ones_have_ended(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let () = ada.execute(CHOOSE_MANY, vec![json!(MAX_OPEN_TRANSFERS + QUEUED_FILES)]).await?;
    ada.until("some files are queued", |page| page.shows("transfer-backlog")).await?;
    let count = async |page: &Page, state: &str| -> Result<usize> {
        page.execute(COUNT_TRANSFERS, vec![json!(state)]).await
    };
    until("as many files to be offered as may be open", MANY_PATIENCE, async || {
        let offered = count(&bob, "offered").await?;
        Ok(if offered == MAX_OPEN_TRANSFERS { Ok(()) } else { Err(format!("{offered} offered")) })
    })
    .await?;
    let shown: String = bob.execute(SHOWN_AMOUNT, vec![]).await?;
    assert!(shown.contains(&(MAX_OPEN_TRANSFERS + QUEUED_FILES).to_string()), "{shown}");
    // Storing all of them takes either browser more than a minute; most are over at once.
    let declined: usize = bob.execute(DECLINE_ALL_BUT_ONE_AND_ACCEPT_ALL, vec![]).await?;
    assert_eq!(declined, MAX_OPEN_TRANSFERS - 1);
    until("the files that were queued to arrive without a further click", MANY_PATIENCE, async || {
        let done = count(&bob, "done").await?;
        Ok(if done == QUEUED_FILES + 1 { Ok(()) } else { Err(format!("{done} done")) })
    })
    .await?;
    ada.until("no file is queued any more", |page| !page.shows("transfer-backlog")).await?;
    let sent = (count(&ada, "declined").await?, count(&ada, "done").await?);
    let wrong: Vec<String> = bob.execute(WRONG_OF_MANY, vec![]).await?;
    assert_eq!((sent, wrong), ((declined, QUEUED_FILES + 1), Vec::new()));
    Ok(())
}

/// Number of files beyond those that may be open at once.
const QUEUED_FILES: usize = 100;

const MANY_PATIENCE: Duration = Duration::from_secs(75);

/// Chooses a folder with this many small files, each with different content.
const CHOOSE_MANY: &str = "
    const [count] = arguments;
    const input = document.querySelector('[data-testid=\"folder-input\"]');
    const chosen = new DataTransfer();
    for (let at = 0; at < count; at += 1) {
      chosen.items.add(new File([`file ${at}`], `${at}.txt`, { lastModified: 7 }));
    }
    input.files = chosen.files;
    [...input.files].forEach((file, at) => {
      Object.defineProperty(file, 'webkitRelativePath', { value: `many/${at % 10}/${file.name}` });
    });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return null;";

/// What stands beside \"Accept all\".
const SHOWN_AMOUNT: &str = "
    return document.querySelector('[data-testid=\"transfer-all-amount\"]').textContent;";

const COUNT_TRANSFERS: &str = "
    return document.querySelectorAll(`[data-testid=\"transfer\"][data-state=\"${arguments[0]}\"]`).length;";

/// Declines all files but one, each by its own button, then clicks on \"Accept all\"; how many were declined.
const DECLINE_ALL_BUT_ONE_AND_ACCEPT_ALL: &str = "
    const [, ...others] = document.querySelectorAll('[data-testid=\"transfer-decline\"]');
    others.forEach((button) => button.click());
    document.querySelector('[data-testid=\"transfer-accept-all\"]').click();
    return others.length;";

/// The names of files of [`CHOOSE_MANY`] that were stored with wrong content.
const WRONG_OF_MANY: &str = "return (async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('transfers');
    const wrong = [];
    for (const row of document.querySelectorAll('[data-testid=\"transfer\"][data-state=\"done\"]')) {
      const { id, name } = row.dataset;
      const text = await folder.getFileHandle(id).then((handle) => handle.getFile()).then((file) => file.text());
      if (text !== `file ${Number.parseInt(name, 10)}`) wrong.push(name);
    }
    return wrong;
  })();";
