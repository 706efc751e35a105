//! The ways to choose files: the dialog, a folder, a drop, the clipboard; and the names that the other side sees.

use std::{fs, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    snapshot::Notice,
    stage::{Scene, Stage},
};

use super::{Folder, two};

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_file_name_is_text_and_not_a_path_and_two_equal_names_are_kept_apart),
        stage.test_in_each(
            a_file_that_is_chosen_in_an_empty_room_waits_for_the_next_member_and_keeps_its_name,
        ),
        stage.test_in_each(text_that_is_pasted_with_a_picture_of_itself_is_text),
        stage.test_in_each(files_and_folders_that_are_dropped_and_files_that_are_pasted_are_offered),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_file_name_is_text_and_not_a_path_and_two_equal_names_are_kept_apart(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = two(scene, [engine, engine]).await?;
    // Names that a hostile page could send.
    for name in ["../../.ssh/authorized_keys", "<b id=injected>.txt", "CON.txt", "same.txt", "same.txt"] {
        let chosen: bool = ada.execute(CHOOSE, vec![json!(name)]).await?;
        assert!(chosen);
    }
    let page = bob.until("all are offered", |page| page.transfers.len() == 5).await?;
    let names: Vec<_> = page.transfers.iter().map(|transfer| transfer.name.as_str()).collect();
    assert_eq!(names, ["authorized_keys", "_b id=injected_.txt", "_CON.txt", "same.txt", "same (2).txt"]);
    assert_eq!(page.injected, 0, "a name became an element");
    bob.click("transfer-accept-all").await?;
    for name in names {
        bob.until_transfer(name, "done").await?;
    }
    Ok(())
}

async fn a_file_that_is_chosen_in_an_empty_room_waits_for_the_next_member_and_keeps_its_name(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let names = [".env", "Makefile", "_", "family 👨\u{200d}👩\u{200d}👧.png", "می\u{200c}خواهم.txt"];
    let [ada, bob] = scene.pages_in([engine, engine]).await?;
    ada.enter_with("files", "Ada", "source=none").await?;
    for name in names {
        let chosen: bool = ada.execute(CHOOSE, vec![json!(name)]).await?;
        assert!(chosen);
    }
    ada.until("the files are said to wait", |page| page.shows("transfer-backlog")).await?;
    ada.reload().await?;
    let told = ada.until_notice("files-forgotten").await?;
    let is_named = |notice: &Notice| notice.code == "files-forgotten" && notice.text.contains("Makefile");
    assert!(told.notices.iter().any(is_named), "{told:?}");
    ada.set_size(500, 860).await?;
    ada.until("a line says it where the chat is folded away", |page| {
        page.shows("files-not-sent") && !page.shows("notice")
    })
    .await?;
    ada.click("files-not-sent-show").await?;
    ada.until("the notice itself is seen", |page| page.shows("notice") && !page.shows("files-not-sent"))
        .await?;
    for name in names {
        let _: bool = ada.execute(CHOOSE, vec![json!(name)]).await?;
    }
    ada.until("the files wait again", |page| page.shows("transfer-backlog")).await?;
    bob.enter_with("files", "Bob", "source=none").await?;
    let page = bob.until("all are offered", |page| page.transfers.len() == names.len()).await?;
    let offered: Vec<_> = page.transfers.iter().map(|transfer| transfer.name.as_str()).collect();
    assert_eq!(offered, names);
    ada.until("none waits any more", |page| !page.shows("transfer-backlog")).await?;
    // Declined and offered again: the name is free.
    bob.click_in_transfer("Makefile", "transfer-decline").await?;
    ada.until_transfer("Makefile", "declined").await?;
    // Its own page shows it a moment later; the next offer is another row.
    bob.until_transfer("Makefile", "declined").await?;
    let _: bool = ada.execute(CHOOSE, vec![json!("Makefile")]).await?;
    bob.until_transfer("Makefile", "offered").await?;
    bob.click("transfer-accept-all").await?;
    for name in names {
        bob.until_transfer(name, "done").await?;
    }
    Ok(())
}

async fn text_that_is_pasted_with_a_picture_of_itself_is_text(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let taken: bool = ada.execute(PASTE_CELLS, vec![]).await?;
    assert!(!taken, "the browser could not paste the text");
    let _: bool = ada.execute(DROP_OR_PASTE, vec![json!("paste"), json!("picture.png")]).await?;
    let page = bob.until("the picture alone is offered", |page| !page.transfers.is_empty()).await?;
    let names: Vec<_> = page.transfers.iter().map(|transfer| transfer.name.as_str()).collect();
    assert_eq!(names, ["picture.png"]);
    Ok(())
}

async fn files_and_folders_that_are_dropped_and_files_that_are_pasted_are_offered(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    for (event, name) in [("drop", "dropped.txt"), ("paste", "pasted.txt")] {
        let taken: bool = ada.execute(DROP_OR_PASTE, vec![json!(event), json!(name)]).await?;
        assert!(taken, "the browser would have opened it in place of the page");
        bob.until_transfer(name, "offered").await?;
    }
    let work = folder.path().join("work");
    fs::create_dir_all(work.join("2026"))?;
    fs::write(work.join("plan.txt"), "plan")?;
    fs::write(work.join("2026/may.txt"), "may")?;
    match engine {
        Engine::Chromium => ada.choose_file("folder-input", &work).await?,
        // Firefox's driver cannot choose folders.
        Engine::Firefox => {
            let _: bool =
                ada.execute(CHOOSE_FOLDER, vec![json!(["work/plan.txt", "work/2026/may.txt"])]).await?;
        }
    }
    for (name, path) in [("plan.txt", "work"), ("may.txt", "work/2026")] {
        let offered = bob.until_transfer(name, "offered").await?;
        assert!(offered.text.contains(path), "{offered:?}");
    }
    bob.click("transfer-accept-all").await?;
    for name in ["dropped.txt", "pasted.txt", "plan.txt", "may.txt"] {
        bob.until_transfer(name, "done").await?;
    }
    Ok(())
}

/// Puts a file with this name into the input, as if it was chosen.
const CHOOSE: &str = "
    const input = document.querySelector('[data-testid=\"file-input\"]');
    const chosen = new DataTransfer();
    chosen.items.add(new File(['some text'], arguments[0], { lastModified: 7 }));
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;";

/// Puts files with these paths into the folder input, as if their folder was chosen.
const CHOOSE_FOLDER: &str = "
    const [paths] = arguments;
    const input = document.querySelector('[data-testid=\"folder-input\"]');
    const chosen = new DataTransfer();
    const name = (path) => path.split('/').at(-1);
    for (const path of paths) chosen.items.add(new File(['some text'], name(path), { lastModified: 7 }));
    Object.defineProperty(File.prototype, 'webkitRelativePath', {
      get() {
        return paths.find((path) => name(path) === this.name) ?? '';
      },
    });
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;";

/// Pastes what a spreadsheet copies. Returns whether the page took it.
const PASTE_CELLS: &str = "
    const data = new DataTransfer();
    data.setData('text/plain', '1\\t2');
    data.setData('text/html', '<table><tr><td>1</td><td>2</td></tr></table>');
    data.items.add(new File(['a picture'], 'image.png', { type: 'image/png' }));
    const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
    Object.defineProperty(event, 'clipboardData', { value: data });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;";

/// Drops or pastes a file with this name. Returns whether the page took it.
pub(super) const DROP_OR_PASTE: &str = "
    const [kind, name] = arguments;
    const data = new DataTransfer();
    data.items.add(new File(['some text'], name, { lastModified: 7 }));
    const options = { bubbles: true, cancelable: true };
    const event = kind === 'drop'
      ? new DragEvent(kind, { ...options, dataTransfer: data })
      : new ClipboardEvent(kind, options);
    // Firefox cannot construct such an event with files.
    if (kind === 'paste') Object.defineProperty(event, 'clipboardData', { value: data });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;";
