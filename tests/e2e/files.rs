//! Transfers of files between two people.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sha2::{Digest, Sha256};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::{Notice, Snapshot},
    stage::{Pair, Scene, Stage},
    wait::until,
};
use sightline_protocol::transfer::MAX_OPEN_TRANSFERS;
use tempfile::TempDir;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let in_pairs = [
        stage.test_in_pairs(a_file_arrives_as_it_was_and_both_show_its_hash),
        stage.test_in_pairs(a_reload_of_either_page_is_only_a_pause),
    ];
    let in_each = [
        stage.test_in_each(what_is_declined_or_given_up_ends_on_both_sides),
        stage.test_in_each(a_file_name_is_text_and_not_a_path_and_two_equal_names_are_kept_apart),
        stage
            .test_in_each(two_files_that_are_equal_in_name_size_and_time_keep_their_own_bytes_after_a_reload),
        stage
            .test_in_each(a_file_that_is_chosen_while_nobody_is_there_waits_for_who_comes_and_keeps_its_name),
        stage.test_in_each(text_that_is_pasted_with_a_picture_of_itself_is_text),
        stage.test_in_each(a_flipped_byte_is_refused_and_the_file_arrives_whole),
        stage.test_in_each(files_and_folders_that_are_dropped_and_files_that_are_pasted_are_offered),
        stage.test_in_each(files_beyond_those_that_are_open_at_once_come_when_earlier_ones_are_over),
        stage.test_in_each(what_cannot_be_read_or_stored_is_said_on_both_sides_and_the_rest_goes_on),
        stage
            .test_in_each(a_file_that_is_changed_while_it_is_sent_is_said_on_both_sides_and_the_rest_goes_on),
        stage.test_in_each(a_file_for_a_member_that_left_waits_and_says_so),
        stage.test_in_each(an_offered_file_is_said_where_the_chat_is_folded_away),
    ];
    let in_one = stage.test(storage_that_is_taken_away_is_said_on_both_sides_and_the_rest_goes_on);
    in_pairs.into_iter().chain(in_each).flatten().chain([in_one]).collect()
}

/// Temporary files of this computer.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Creates an incompressible file, different for each name. Returns its path and SHA-256.
    pub(crate) fn file(&self, name: &str, size_bytes: usize) -> Result<(PathBuf, String)> {
        let mut state = name.bytes().fold(1_u64, |state, byte| state.wrapping_mul(31) + u64::from(byte));
        let mut bytes = Vec::with_capacity(size_bytes + 8);
        while bytes.len() < size_bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(size_bytes);
        let path = self.0.path().join(name);
        fs::write(&path, &bytes)?;
        Ok((path, Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// Two connected members without cameras.
async fn two(scene: &Scene, pair: Pair) -> Result<[Arc<Page>; 2]> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter_with("files", "Ada", "source=none").await?;
    bob.enter_with("files", "Bob", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    Ok([ada, bob])
}

async fn arrives(to: &Page, from: &Page, name: &str, sha256: &str) -> Result<()> {
    let received = to.until_transfer(name, "done").await?;
    let sent = from.until_transfer(name, "done").await?;
    assert_eq!(received.hash.as_deref(), Some(sha256));
    assert_eq!(sent.hash.as_deref(), Some(sha256));
    assert_eq!((received.bytes, sent.bytes), (received.size, sent.size));
    assert_eq!(to.stored_sha256(&received.id).await?, sha256);
    assert!(received.can_be_saved && !sent.can_be_saved);
    Ok(())
}

/// Sends another file after those failures.
async fn another_arrives(folder: &Folder, from: &Page, to: &Page) -> Result<()> {
    let (last, sha256) = folder.file("last.bin", 1_000_000)?;
    from.offer(&[&last]).await?;
    to.until_transfer("last.bin", "offered").await?;
    to.click_in_transfer("last.bin", "transfer-accept").await?;
    arrives(to, from, "last.bin", &sha256).await
}

async fn a_file_arrives_as_it_was_and_both_show_its_hash(scene: &Scene, pair: Pair) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, pair).await?;
    let (report, report_sha256) = folder.file("report.bin", 3_000_001)?;
    let (empty, empty_sha256) = folder.file("empty.txt", 0)?;
    ada.offer(&[&report, &empty]).await?;
    let offered = bob.until_transfer("report.bin", "offered").await?;
    assert_eq!(offered.size, 3_000_001);
    bob.click_in_transfer("report.bin", "transfer-accept").await?;
    bob.click_in_transfer("empty.txt", "transfer-accept").await?;
    arrives(&bob, &ada, "report.bin", &report_sha256).await?;
    arrives(&bob, &ada, "empty.txt", &empty_sha256).await?;

    let (answer, answer_sha256) = folder.file("answer.bin", 2_000_000)?;
    bob.offer(&[&answer]).await?;
    ada.until_transfer("answer.bin", "offered").await?;
    ada.click_in_transfer("answer.bin", "transfer-accept").await?;
    arrives(&ada, &bob, "answer.bin", &answer_sha256).await
}

async fn a_reload_of_either_page_is_only_a_pause(scene: &Scene, pair: Pair) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, pair).await?;
    let (film, sha256) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    // More bytes than are flushed at a time. The transfer is paused, so that the reloads come in the middle on any machine.
    hold_back(&ada, "film.bin", 5_000_000).await?;
    let before = bob.until_transfer("film.bin", "paused").await?;
    assert!(before.bytes < before.size, "{before:?}");

    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    bob.until("what was on the disk is there", |page| {
        page.transfer("film.bin").is_some_and(|transfer| transfer.id == before.id && transfer.bytes > 0)
    })
    .await?;

    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    let waiting = ada.until_transfer("film.bin", "paused").await?;
    assert_eq!(waiting.id, before.id);
    ada.offer(&[&film]).await?;
    arrives(&bob, &ada, "film.bin", &sha256).await?;
    assert_eq!(ada.look().await?.transfers.len(), 1, "it went on, and was not offered anew");
    Ok(())
}

/// Pauses a transfer once it has this many bytes. The page itself does it, since from outside it may be over before the click.
async fn hold_back(page: &Page, name: &str, bytes: u64) -> Result<()> {
    let () = page.execute(HOLD_BACK, vec![json!(name), json!(bytes)]).await?;
    page.until_transfer(name, "paused").await?;
    Ok(())
}

async fn what_is_declined_or_given_up_ends_on_both_sides(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    for (name, by_receiver) in [("one.bin", true), ("two.bin", false)] {
        let (file, _) = folder.file(name, 40_000_000)?;
        ada.offer(&[&file]).await?;
        bob.until_transfer(name, "offered").await?;
        bob.click_in_transfer(name, "transfer-accept").await?;
        let (first, second) = if by_receiver { (&bob, &ada) } else { (&ada, &bob) };
        hold_back(first, name, 1).await?;
        second.until_transfer(name, "paused").await?;
        first.click_in_transfer(name, "transfer-cancel").await?;
        first.until_transfer(name, "cancelled").await?;
        second.until_transfer(name, "cancelled").await?;
    }
    let (file, _) = folder.file("three.bin", 1000)?;
    ada.offer(&[&file]).await?;
    bob.until_transfer("three.bin", "offered").await?;
    bob.click_in_transfer("three.bin", "transfer-decline").await?;
    bob.until_transfer("three.bin", "declined").await?;
    ada.until_transfer("three.bin", "declined").await?;
    Ok(())
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

/// Creates a folder with `a/data.bin` and `b/data.bin`, equal in size and time. Returns the SHA-256 of each.
fn folder_of_equals(root: &Path) -> Result<[String; 2]> {
    let mut hashes = [String::new(), String::new()];
    for (at, folder) in ["a", "b"].into_iter().enumerate() {
        let bytes: Vec<u8> =
            (0..EQUALS_BYTES).map(|byte| (byte * 31 + byte / 256 + at * 100) as u8).collect();
        fs::create_dir_all(root.join(folder))?;
        let path = root.join(folder).join("data.bin");
        fs::write(&path, &bytes)?;
        let file = fs::OpenOptions::new().write(true).open(&path)?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))?;
        hashes[at] = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Ok(hashes)
}

async fn choose_equals(page: &Page, engine: Engine, root: &Path) -> Result<()> {
    match engine {
        Engine::Chromium => page.choose_file("folder-input", root).await,
        Engine::Firefox => page.execute(CHOOSE_EQUALS, vec![json!(EQUALS_BYTES)]).await,
    }
}

async fn two_files_that_are_equal_in_name_size_and_time_keep_their_own_bytes_after_a_reload(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let root = folder.0.path().join("work");
    let hashes = folder_of_equals(&root)?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    choose_equals(&ada, engine, &root).await?;
    bob.until("both are offered", |page| page.transfers.len() == 2).await?;
    // The first one stops on its way, the other before it began.
    let () = ada.execute(HOLD_BACK_BOTH, vec![json!([2_000_000, 0])]).await?;
    bob.click("transfer-accept-all").await?;
    let is_held = |page: &Snapshot| page.transfers.iter().all(|transfer| transfer.state == "paused");
    ada.until("both are held back", is_held).await?;
    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    ada.until("both are asked for again", |page| page.transfers.len() == 2 && is_held(page)).await?;
    choose_equals(&ada, engine, &root).await?;
    let is_done = |page: &Snapshot| page.transfers.iter().all(|transfer| transfer.state == "done");
    let sent = ada.until_for(PATIENCE, "both are sent", is_done).await?;
    let received = bob.until_for(PATIENCE, "both are there", is_done).await?;
    assert_eq!((sent.transfers.len(), received.transfers.len()), (2, 2), "nothing is offered twice");
    for (folder, sha256) in ["work/a", "work/b"].into_iter().zip(&hashes) {
        let of = |page: &Snapshot| {
            page.transfers.iter().find(|transfer| transfer.text.contains(folder)).cloned().unwrap_or_default()
        };
        assert_eq!(of(&sent).hash.as_ref(), Some(sha256), "{folder}");
        assert_eq!(of(&received).hash.as_ref(), Some(sha256), "{folder}");
        assert_eq!(bob.stored_sha256(&of(&received).id).await?, *sha256, "{folder}");
    }
    Ok(())
}

async fn a_file_that_is_chosen_while_nobody_is_there_waits_for_who_comes_and_keeps_its_name(
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

async fn a_flipped_byte_is_refused_and_the_file_arrives_whole(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (file, sha256) = folder.file("flipped.bin", 1_500_000)?;
    ada.execute::<Option<bool>>(FLIP_ONE, vec![]).await?;
    ada.offer(&[&file]).await?;
    bob.until_transfer("flipped.bin", "offered").await?;
    bob.click_in_transfer("flipped.bin", "transfer-accept").await?;
    arrives(&bob, &ada, "flipped.bin", &sha256).await?;
    let flipped: bool = ada.execute("return window.flipped === true", vec![]).await?;
    assert!(flipped, "no byte was flipped");
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
    let work = folder.0.path().join("work");
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

async fn files_beyond_those_that_are_open_at_once_come_when_earlier_ones_are_over(
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

async fn what_cannot_be_read_or_stored_is_said_on_both_sides_and_the_rest_goes_on(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (removed, _) = folder.file("removed.bin", 40_000_000)?;
    let (good, sha256) = folder.file("good.bin", 2_000_000)?;
    ada.offer(&[&removed, &good]).await?;
    bob.until_transfer("good.bin", "offered").await?;
    fs::remove_file(&removed)?;
    bob.click("transfer-accept-all").await?;
    for page in [&ada, &bob] {
        let failed = page.until_transfer("removed.bin", "failed").await?;
        let code = failed.code.as_deref();
        assert!(matches!(code, Some("file-unreadable" | "file-changed")), "{failed:?}");
    }
    arrives(&bob, &ada, "good.bin", &sha256).await?;

    // More than any disk can hold.
    let huge: bool = ada.execute(CHOOSE_HUGE, vec![json!("huge.bin")]).await?;
    assert!(huge);
    bob.until_transfer("huge.bin", "offered").await?;
    bob.click_in_transfer("huge.bin", "transfer-accept").await?;
    for page in [&bob, &ada] {
        let failed = page.until_transfer("huge.bin", "failed").await?;
        assert_eq!(failed.code.as_deref(), Some("disk-full"), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

async fn a_file_that_is_changed_while_it_is_sent_is_said_on_both_sides_and_the_rest_goes_on(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (film, _) = folder.file("film.bin", 40_000_000)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    // In place, with the same length.
    let mut file = fs::OpenOptions::new().write(true).open(&film)?;
    file.write_all(b"Another beginning")?;
    drop(file);
    ada.click_in_transfer("film.bin", "transfer-pause").await?;
    for page in [&ada, &bob] {
        let failed = page.until_transfer("film.bin", "failed").await?;
        assert_eq!(failed.code.as_deref(), Some("file-changed"), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

async fn a_file_for_a_member_that_left_waits_and_says_so(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (film, _) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    ada.expect_console_error("ICE failed");
    scene.lose_power(&bob).await?;
    let is_gone =
        |page: &Snapshot| page.transfer("film.bin").is_some_and(|transfer| transfer.reach == "gone");
    let page = ada.until_for(GONE_PATIENCE, "the other side is gone", is_gone).await?;
    let transfer = page.transfer("film.bin").cloned().unwrap_or_default();
    assert_eq!(transfer.state, "paused");
    assert!(transfer.text.contains("it goes on if they come back"), "{transfer:?}");
    Ok(())
}

async fn an_offered_file_is_said_where_the_chat_is_folded_away(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    bob.set_size(500, 860).await?;
    let (film, sha256) = folder.file("film.bin", 2_000_000)?;
    ada.offer(&[&film]).await?;
    bob.until("the offer is said", |page| page.shows("file-offer") && !page.shows("transfer-accept")).await?;
    bob.click("file-offer-show").await?;
    bob.until("the file itself is seen", |page| page.shows("transfer-accept") && !page.shows("file-offer"))
        .await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    arrives(&bob, &ada, "film.bin", &sha256).await
}

/// Clears the site's data, as a person does. Only Chromium lets a test do that.
async fn storage_that_is_taken_away_is_said_on_both_sides_and_the_rest_goes_on(scene: &Scene) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [Engine::Chromium, Engine::Chromium]).await?;
    let (film, _) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    let origin: String = bob.execute("return location.origin", vec![]).await?;
    let clearing = json!({ "origin": origin, "storageTypes": "file_systems" });
    bob.browser.driver.cdp().send_raw("Storage.clearDataForOrigin", clearing).await?;
    ada.click_in_transfer("film.bin", "transfer-pause").await?;
    for page in [&bob, &ada] {
        let failed = page.until_transfer("film.bin", "failed").await?;
        // A private window reports that the disk is full.
        let code = failed.code.as_deref();
        assert!(matches!(code, Some("storage-refused" | "disk-full")), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

/// Number of files beyond those that may be open at once.
const QUEUED_FILES: usize = 100;
const MANY_PATIENCE: Duration = Duration::from_secs(75);

/// Time for a browser to notice that the other side lost power, and for the server to give up the seat.
const GONE_PATIENCE: Duration = Duration::from_secs(90);

/// Size of each file of [`folder_of_equals`], in bytes.
const EQUALS_BYTES: usize = 16_000_000;
const PATIENCE: Duration = Duration::from_secs(90);

/// Clicks on pause as soon as each transfer shows this many bytes.
const HOLD_BACK_BOTH: &str = "
    const [bytes] = arguments;
    const transfers = document.querySelectorAll('[data-testid=\"transfer\"]');
    bytes.forEach((least, at) => {
      const hold = () => {
        const pause = transfers[at].querySelector('[data-testid=\"transfer-pause\"]');
        const isTime = pause && Number(transfers[at].dataset.bytes) >= least;
        if (isTime) pause.click();
        return isTime;
      };
      const watch = new MutationObserver(() => hold() && watch.disconnect());
      if (!hold()) watch.observe(transfers[at], { attributes: true, childList: true, subtree: true });
    });
    return null;";

/// Chooses the folder of [`folder_of_equals`] where a driver cannot choose folders.
const CHOOSE_EQUALS: &str = "
    const [size] = arguments;
    const input = document.querySelector('[data-testid=\"folder-input\"]');
    const chosen = new DataTransfer();
    const paths = new Map();
    ['work/a/data.bin', 'work/b/data.bin'].forEach((path, at) => {
      const bytes = new Uint8Array(size);
      for (let byte = 0; byte < size; byte += 1) bytes[byte] = byte * 31 + Math.floor(byte / 256) + at * 100;
      const file = new File([bytes], 'data.bin', { lastModified: 1_700_000_000_000 });
      chosen.items.add(file);
      paths.set(at, path);
    });
    input.files = chosen.files;
    [...input.files].forEach((file, at) => {
      Object.defineProperty(file, 'webkitRelativePath', { value: paths.get(at) });
    });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return null;";

/// Clicks on pause as soon as a transfer shows this many bytes.
const HOLD_BACK: &str = "
    const [name, bytes] = arguments;
    const transfer = document.querySelector(`[data-testid=\"transfer\"][data-name=\"${name}\"]`);
    const hold = () => {
      const pause = transfer.querySelector('[data-testid=\"transfer-pause\"]');
      const isTime = pause && Number(transfer.dataset.bytes) >= bytes;
      if (isTime) pause.click();
      return isTime;
    };
    const watch = new MutationObserver(() => hold() && watch.disconnect());
    if (!hold()) watch.observe(transfer, { attributes: true, childList: true, subtree: true });
    return null;";

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

/// Puts a file with this name into the input, as if it was chosen.
const CHOOSE: &str = "
    const input = document.querySelector('[data-testid=\"file-input\"]');
    const chosen = new DataTransfer();
    chosen.items.add(new File(['some text'], arguments[0], { lastModified: 7 }));
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;";

/// Changes one byte of the next frame of a file.
const FLIP_ONE: &str = "
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (data) {
      if (this.label === 'bulk' && !window.flipped) {
        window.flipped = true;
        data = data.slice(0);
        new Uint8Array(data)[1000] ^= 1;
      }
      return send.call(this, data);
    };
    return null;";

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
const DROP_OR_PASTE: &str = "
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

/// Chooses a file that claims to have four petabytes.
const CHOOSE_HUGE: &str = "
    const [name] = arguments;
    const input = document.querySelector('[data-testid=\"file-input\"]');
    const chosen = new DataTransfer();
    chosen.items.add(new File(['some text'], name, { lastModified: 7 }));
    const { get } = Object.getOwnPropertyDescriptor(Blob.prototype, 'size');
    Object.defineProperty(Blob.prototype, 'size', {
      get() {
        return this.name === name ? 2 ** 52 : get.call(this);
      },
    });
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;";
