//! The end-to-end tests. The name of each reads as a sentence, followed by the browsers. They need Unix.

cfg_if::cfg_if! {
    if #[cfg(unix)] {
        mod accessibility;
        mod bench_panel;
        mod bench_quality;
        #[cfg(target_os = "linux")]
        mod bench_start;
        #[cfg(target_os = "linux")]
        mod bench_transfer;
        mod call;
        mod check;
        mod consent;
        mod conversation;
        mod create_token;
        mod failures;
        mod figures;
        mod file_source;
        mod files;
        #[cfg(target_os = "linux")]
        mod files_across_cuts;
        mod host;
        mod hostile_member;
        mod hostile_server;
        mod hosting;
        mod installing;
        mod keyboard;
        mod leaving;
        mod lobby;
        mod measure;
        mod media;
        mod native_peer;
        #[cfg(target_os = "linux")]
        mod native_peer_across_cuts;
        #[cfg(target_os = "linux")]
        mod networks;
        mod panel;
        mod people;
        mod playout;
        mod problems;
        mod recognition;
        #[cfg(target_os = "linux")]
        mod recovery;
        mod room;
        mod screenshots;
        mod signaling;
        mod small_windows;
        #[cfg(target_os = "linux")]
        mod soak;
        mod source;
        mod tabs;
        mod tile;
        mod translation;
        mod trunk_serve;
        mod trust;
        mod turn;
    }
}

#[cfg(unix)]
fn main() -> anyhow::Result<std::process::ExitCode> {
    let arguments = libtest_mimic::Arguments::from_args();
    let stage = sightline_e2e::stage::Stage::new()?;
    let trials: Vec<libtest_mimic::Trial> = [
        call::tests(&stage),
        check::tests(&stage),
        consent::tests(&stage),
        conversation::tests(&stage),
        create_token::tests(&stage),
        failures::tests(&stage),
        files::tests(&stage),
        host::tests(&stage),
        #[cfg(target_os = "linux")]
        files_across_cuts::tests(&stage),
        leaving::tests(&stage),
        lobby::tests(&stage),
        media::tests(&stage),
        native_peer::tests(&stage),
        #[cfg(target_os = "linux")]
        native_peer_across_cuts::tests(&stage),
        panel::tests(&stage),
        people::tests(&stage),
        playout::tests(&stage),
        recognition::tests(&stage),
        room::tests(&stage),
        #[cfg(target_os = "linux")]
        recovery::tests(&stage),
        #[cfg(target_os = "linux")]
        soak::tests(&stage),
        signaling::tests(&stage),
        small_windows::tests(&stage),
        source::tests(&stage),
        file_source::tests(&stage),
        tabs::tests(&stage),
        tile::tests(&stage),
        translation::tests(&stage),
        trunk_serve::tests(&stage),
        trust::tests(&stage),
        turn::tests(&stage),
        #[cfg(target_os = "linux")]
        networks::tests(&stage),
        hostile_member::tests(&stage),
        hostile_server::tests(&stage),
        problems::tests(&stage),
        hosting::tests(&stage),
        installing::tests(&stage),
        keyboard::tests(&stage),
        accessibility::tests(&stage),
        screenshots::tests(&stage),
        bench_panel::tests(&stage),
        bench_quality::tests(&stage),
        #[cfg(target_os = "linux")]
        bench_start::tests(&stage),
        #[cfg(target_os = "linux")]
        bench_transfer::tests(&stage),
        measure::tests(&stage),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(filter) = &arguments.filter {
        // A test that was renamed would pass unseen.
        let is_named = trials.iter().any(|trial| trial.name().contains(filter.as_str()));
        anyhow::ensure!(is_named, "no test here has {filter:?} in its name");
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    stage.close();
    Ok(conclusion.exit_code())
}

#[cfg(not(unix))]
#[allow(clippy::print_stdout, reason = "tests that were skipped are named")]
fn main() {
    println!("skipped: the end-to-end tests end processes by group, which needs Unix");
}
