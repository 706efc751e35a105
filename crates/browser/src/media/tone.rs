//! A test tone for the loudspeaker.

use std::time::Duration;

use wasm_bindgen::JsCast;
use web_sys::{AudioContext, OscillatorNode};

use crate::{js::error::BrowserError, page::clock};

const PITCH_HZ: f32 = 440.0;
/// Volume as a part of full scale: audible and not startling.
const LOUDNESS: f32 = 0.12;
const LENGTH: Duration = Duration::from_millis(900);

/// Plays a tone of about a second through the system's loudspeaker; must be called from a gesture. Dropping the future ends the
/// tone.
///
/// # Errors
/// [`BrowserError`] where the browser has no more audio contexts.
pub async fn play() -> Result<(), BrowserError> {
    let tone = Tone::start()?;
    clock::sleep(LENGTH).await;
    drop(tone);
    Ok(())
}

struct Tone {
    oscillator: OscillatorNode,
    context: AudioContext,
}

impl Tone {
    fn start() -> Result<Self, BrowserError> {
        let context = AudioContext::new()?;
        let begun = begin(&context);
        match begun {
            Ok(oscillator) => Ok(Self { oscillator, context }),
            Err(error) => {
                let _ = context.close();
                Err(error)
            }
        }
    }
}

impl Drop for Tone {
    fn drop(&mut self) {
        let _ = self.oscillator.stop();
        let _ = self.context.close();
    }
}

fn begin(context: &AudioContext) -> Result<OscillatorNode, BrowserError> {
    let oscillator = context.create_oscillator()?;
    oscillator.frequency().set_value(PITCH_HZ);
    let gain = context.create_gain()?;
    gain.gain().set_value(LOUDNESS);
    oscillator.connect_with_audio_node(gain.unchecked_ref())?;
    gain.connect_with_audio_node(context.destination().unchecked_ref())?;
    oscillator.start()?;
    Ok(oscillator)
}
