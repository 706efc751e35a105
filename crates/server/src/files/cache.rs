//! How long a browser may keep a file without asking.

use std::ops::RangeInclusive;

use axum::http::StatusCode;

/// Asks every time; the `ETag` makes the answer short.
const ASK: &str = "no-cache";
/// Never asks, because other content would have another name.
const KEEP: &str = "public, max-age=31536000, immutable";

/// Digits of the content hash in the names that trunk makes, a number of 64 bits without leading zeros.
const HASH_DIGITS: RangeInclusive<usize> = 12..=16;

/// The `Cache-Control` of an answer.
pub(super) fn control(path: &str, status: StatusCode) -> &'static str {
    let served = status.is_success() || status == StatusCode::NOT_MODIFIED;
    if served && names_its_content(path) { KEEP } else { ASK }
}

/// Whether the file's name is `name-<hash>.ext` or `name-<hash>_bg.wasm`. A hash in the name of a directory (those of
/// wasm-bindgen's snippets) is not one of the content.
fn names_its_content(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, _)) = name.split_once('.') else { return false };
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    stem.rsplit_once('-').is_some_and(|(_, hash)| {
        HASH_DIGITS.contains(&hash.len())
            && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_whose_name_has_a_content_hash_is_kept() {
        for path in [
            "/sightline-0123456789abcdef.js",
            "/sightline-0123456789abcdef_bg.wasm",
            "/main-fedcba9876543210.css",
            "/tile-67f30da941af1de.css",
            "/a/two-part-name-0123456789abcdef.svg",
        ] {
            assert_eq!(control(path, StatusCode::OK), KEEP, "{path}");
            assert_eq!(control(path, StatusCode::NOT_MODIFIED), KEEP, "{path}");
            assert_eq!(control(path, StatusCode::NOT_FOUND), ASK, "{path}");
        }
        for path in [
            "/index.html",
            "/favicon.svg",
            "/sightline.js",
            "/sightline-0123456789a.js",
            "/sightline-00123456789abcdef.js",
            "/sightline-0123456789abcdeg.js",
            "/snippets/sightline-0123456789abcdef/inline0.js",
        ] {
            assert_eq!(control(path, StatusCode::OK), ASK, "{path}");
        }
    }
}
