//! A link as a QR code (ISO/IEC 18004), for the camera of a phone.

use std::fmt::Write as _;

use leptos::prelude::*;
use qrcodegen::{QrCode as Code, QrCodeEcc};

use crate::{language::Language, sentence};

/// Width of the white border, in modules; scanners need it to find the code.
const QUIET_ZONE: i32 = 4;

/// The code, dark on white in every theme, since some scanners cannot read an inverted one. Nothing if the link is too long.
#[component]
pub fn QrCode(
    /// The link in the code.
    #[prop(into)]
    link: Signal<String>,
) -> AnyView {
    let language = Language::from_context();
    let drawing = Memo::new(move |_| link.with(|link| draw(link)).unwrap_or_default());
    let view_box = Signal::derive(move || drawing.with(|(side, _)| format!("0 0 {side} {side}")));
    view! {
        <svg
            class="qr-code"
            viewBox=view_box
            role="img"
            aria-label=language.text(sentence!(invitation.qr_code))
            data-testid="qr-code"
        >
            <path d=Signal::derive(move || drawing.with(|(_, path)| path.clone()))></path>
        </svg>
    }
    .into_any()
}

/// The side length in modules, and a path over the dark modules, one run at a time.
fn draw(link: &str) -> Option<(i32, String)> {
    let code = Code::encode_text(link, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count() as i32;
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET_ZONE, y + QUIET_ZONE);
            }
            x += run.max(1);
        }
    }
    Some((code.size() + 2 * QUIET_ZONE, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_finders_within_the_quiet_zone() {
        let (side, path) = draw("https://call.example/room/team-7").expect("a code");
        // Version 3 has 29 modules on each side.
        assert_eq!(side, 29 + 2 * QUIET_ZONE);
        for finder in ["M4 4h7v1h-7z", "M26 4h7v1h-7z", "M4 26h7v1h-7z"] {
            assert!(path.contains(finder), "{finder}: {path}");
        }
    }

    #[test]
    fn a_text_too_long_for_a_code_has_no_code() {
        assert_eq!(draw(&"x".repeat(4000)), None);
    }
}
