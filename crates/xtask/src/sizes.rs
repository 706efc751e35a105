//! Compresses the client ahead of time, and prints the table of a first visit.

use std::{
    cmp::Reverse,
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use rayon::iter::{ParallelBridge, ParallelIterator};

/// Limit of a first visit, in bytes (brotli).
const FIRST_VISIT_BUDGET_BYTES: u64 = 150 * 1024;

/// Parts of the names of files without which nobody is connected. They load while the person chooses a name.
const TO_CONNECT: [&str; 2] = ["engine", "sightline-later"];
/// The same for the files that load after them.
const REST_OF_THE_ROOM: [&str; 1] = ["room"];

const COMPRESSIBLE: [&str; 8] = ["html", "js", "css", "wasm", "svg", "json", "txt", "webmanifest"];
const BROTLI_QUALITY: i32 = 11;
const BROTLI_WINDOW_BITS: i32 = 22;
/// Block sizes as powers of two, of which none is always the best; 0 is the encoder's own choice. Between them lie up to 0.3 % of a
/// WebAssembly module, and a small change of the module makes another one the best. Every further one takes as long as the first, so only the
/// files that `index.html` names are encoded with all of them.
const BROTLI_BLOCK_BITS: [i32; 3] = [0, 16, 17];

/// Writes a `.br` and a `.gz` beside every file that compresses.
///
/// # Errors
/// Where a file cannot be read or written.
pub(crate) fn precompress(dist: &Path) -> Result<()> {
    let mut files = files(dist)?;
    files.retain(|file| {
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        COMPRESSIBLE.contains(&&*extension)
    });
    let index = fs::read_to_string(dist.join("index.html")).context("no index.html")?;
    let block_bits = |file: &Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if index.contains(&*name) { &BROTLI_BLOCK_BITS[..] } else { &BROTLI_BLOCK_BITS[..1] }
    };
    // The longest work first, so that all processors are busy until the end.
    let work =
        |file: &PathBuf| fs::metadata(file).map_or(0, |found| found.len()) * block_bits(file).len() as u64;
    files.sort_by_cached_key(|file| Reverse(work(file)));
    files.iter().par_bridge().try_for_each(|file| {
        let raw = fs::read(file)?;
        let choices = block_bits(file);
        put(&with_suffix(file, "br"), &smallest_brotli(&raw, choices)?)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&raw)?;
        put(&with_suffix(file, "gz"), &gzip.finish()?)
    })
}

/// The smallest of the encodings with these block sizes.
fn smallest_brotli(raw: &[u8], block_bits: &[i32]) -> Result<Vec<u8>> {
    let encoded = block_bits.iter().map(|lgblock| {
        let mut compressed = Vec::new();
        let choice = BrotliEncoderParams {
            quality: BROTLI_QUALITY,
            lgwin: BROTLI_WINDOW_BITS,
            lgblock: *lgblock,
            ..BrotliEncoderParams::default()
        };
        brotli::BrotliCompress(&mut &*raw, &mut compressed, &choice)?;
        Ok(compressed)
    });
    let encoded = encoded.collect::<Result<Vec<_>>>()?;
    encoded.into_iter().min_by_key(Vec::len).context("no encoding")
}

/// Writes to another file and renames it, so that a server finds the whole file or none, even if the build is killed.
fn put(file: &Path, content: &[u8]) -> Result<()> {
    let beside = with_suffix(file, "part");
    fs::write(&beside, content)
        .and_then(|()| fs::rename(&beside, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Prints each file that a first visit loads, raw and brotli, their sum against the budget, and what comes later.
///
/// # Errors
/// Where `dist` is not a built client.
pub(crate) fn print_first_visit(dist: &Path, public_url: &str) -> Result<()> {
    let first = first_visit(dist, public_url)?;
    let sum_bytes = print_files("a first visit loads", dist, &first)?;
    let kib = |bytes: u64| format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024);
    let verdict = if sum_bytes > FIRST_VISIT_BUDGET_BYTES { "OVER" } else { "within" };
    println!(
        "{:<44} {:>10} {sum_bytes:>10}   {}, {verdict} the budget of {}",
        "sum",
        "",
        kib(sum_bytes),
        kib(FIRST_VISIT_BUDGET_BYTES)
    );
    let later = later(dist, &first)?;
    let (to_connect, later): (Vec<_>, Vec<_>) =
        later.into_iter().partition(|file| has_one_of(file, &TO_CONNECT));
    let (rest_of_the_room, later): (Vec<_>, Vec<_>) =
        later.into_iter().partition(|file| has_one_of(file, &REST_OF_THE_ROOM));
    let mut loaded_bytes = sum_bytes;
    for (title, files) in [("to connect", &to_connect), ("the rest of the room", &rest_of_the_room)] {
        loaded_bytes += print_files(title, dist, files)?;
        println!("{:<44} {:>10} {loaded_bytes:>10}   {}", "sum with the above", "", kib(loaded_bytes));
    }
    print_files("later, where wanted", dist, &later)?;
    Ok(())
}

/// Whether the name of a file contains one of these parts.
fn has_one_of(file: &Path, parts: &[&str]) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    parts.iter().any(|part| name.contains(part))
}

/// Prints a table. Returns the sum of its brotli column.
fn print_files(title: &str, dist: &Path, files: &[PathBuf]) -> Result<u64> {
    println!("\n{title:<44} {:>10} {:>10}", "raw", "brotli");
    let mut sum_bytes = 0;
    for file in files {
        let raw_bytes = fs::metadata(file)?.len();
        let brotli_bytes = fs::metadata(with_suffix(file, "br")).map_or(raw_bytes, |found| found.len());
        sum_bytes += brotli_bytes;
        let name = file.strip_prefix(dist).unwrap_or(file).display().to_string();
        println!("{name:<44} {raw_bytes:>10} {brotli_bytes:>10}");
    }
    Ok(sum_bytes)
}

/// The other scripts and modules.
fn later(dist: &Path, first: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = files(dist)?;
    found.retain(|file| {
        let is_run = file.extension().is_some_and(|end| end == "wasm" || end == "js" || end == "css");
        is_run && !first.contains(file)
    });
    Ok(found)
}

/// `index.html`, what it refers to, and the modules that wasm-bindgen's script imports.
fn first_visit(dist: &Path, public_url: &str) -> Result<Vec<PathBuf>> {
    let index = dist.join("index.html");
    let mut html = String::new();
    File::open(&index).and_then(|mut file| file.read_to_string(&mut html)).context("no dist/index.html")?;
    let mut found = vec![index];
    let references = html.split(['"', '\'']).filter_map(|text| text.strip_prefix(public_url));
    found.extend(references.map(|name| dist.join(name)).filter(|path| path.is_file()));
    let snippets = dist.join("snippets");
    if snippets.is_dir() {
        found.extend(
            files(&snippets)?.into_iter().filter(|file| file.extension().is_some_and(|end| end == "js")),
        );
    }
    let mut unique = Vec::new();
    for file in found {
        if !unique.contains(&file) {
            unique.push(file);
        }
    }
    Ok(unique)
}

/// All files below a folder, in ascending order.
///
/// # Errors
/// Where a folder cannot be read.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_encoding_has_the_same_content() {
        let text = include_str!("sizes.rs").repeat(3);
        let encoded = smallest_brotli(text.as_bytes(), &BROTLI_BLOCK_BITS).expect("memory does not fail");
        let mut decoded = String::new();
        brotli::Decompressor::new(&*encoded, 4096).read_to_string(&mut decoded).expect("brotli");
        assert_eq!(decoded, text);
        let one = BrotliEncoderParams::default();
        let mut only = Vec::new();
        brotli::BrotliCompress(&mut text.as_bytes(), &mut only, &one).expect("memory does not fail");
        assert!(encoded.len() <= only.len());
    }
}
