//! `cargo xtask icons`: the icons of the installed app, drawn from `assets/app/icon.svg` by the tests' Chromium.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{browsers, process, workspace};

/// An icon to draw.
struct Icon {
    file: &'static str,
    side_px: u32,
    /// Whether the system cuts the icon to its own shape: then the background reaches the edges and the mark stays within the
    /// middle four fifths (W3C Web Application Manifest, "maskable").
    is_cut: bool,
}

const ICONS: [Icon; 4] = [
    Icon { file: "icon-192.png", side_px: 192, is_cut: false },
    Icon { file: "icon-512.png", side_px: 512, is_cut: false },
    Icon { file: "icon-maskable-512.png", side_px: 512, is_cut: true },
    Icon { file: "apple-touch-icon.png", side_px: 180, is_cut: true },
];

/// Draws all icons.
///
/// # Errors
/// Where there is no Chromium, or a file cannot be written.
pub(crate) fn run() -> Result<()> {
    let tools = browsers::test_tools()?;
    let folder = workspace::root().join("assets").join("app");
    let svg = fs::read_to_string(folder.join("icon.svg")).context("no assets/app/icon.svg")?;
    let work = workspace::target_dir().join("icons");
    fs::create_dir_all(&work)?;
    for icon in &ICONS {
        let page = work.join("page.html");
        fs::write(&page, html(&svg, icon))?;
        draw(&tools.chromium, &page, &folder.join(icon.file), icon.side_px)?;
    }
    Ok(())
}

fn html(svg: &str, icon: &Icon) -> String {
    let svg = if icon.is_cut { full_bleed(svg) } else { svg.to_owned() };
    let side = icon.side_px;
    format!(
        "<!doctype html><style>body{{margin:0}}svg{{display:block;width:{side}px;height:{side}px}}</style>{svg}"
    )
}

/// The icon with a background without round corners, and with a smaller mark.
fn full_bleed(svg: &str) -> String {
    let square = svg.replacen(" rx=\"8\"", "", 1);
    match square.split_once("/>") {
        Some((ground, mark)) => {
            let mark = mark.replacen("</svg>", "</g></svg>", 1);
            format!("{ground}/><g transform=\"translate(16 16) scale(.74) translate(-16 -16)\">{mark}")
        }
        None => square,
    }
}

fn draw(chromium: &Path, page: &Path, to: &Path, side_px: u32) -> Result<()> {
    let mut command = process::command(chromium);
    command
        .args(["--headless", "--no-sandbox", "--hide-scrollbars", "--default-background-color=00000000"])
        .arg(format!("--window-size={side_px},{side_px}"))
        .arg(format!("--screenshot={}", to.display()))
        .arg(page);
    process::run(&mut command)
}
