//! Measures the level of an audio track.

use std::cell::RefCell;

use wasm_bindgen::JsCast;
use web_sys::{AnalyserNode, AudioContext, AudioContextState, MediaStreamAudioSourceNode};

use super::{stream::MediaStream, track::MediaTrack};
use crate::js::{error::BrowserError, promise::settled};

/// Samples in one reading: 21 ms at 48 kHz.
const WINDOW_SAMPLES: usize = 1024;

/// Measures the level of one audio track without playing it. Dropping it closes its audio context.
#[derive(Debug)]
pub struct LevelMeter {
    source: MediaStreamAudioSourceNode,
    analyser: AnalyserNode,
    context: AudioContext,
    samples: RefCell<Vec<f32>>,
}

impl LevelMeter {
    /// Measures `track`.
    ///
    /// # Errors
    /// [`BrowserError`] where `track` has no audio or the browser has no more audio contexts.
    pub fn new(track: &MediaTrack) -> Result<Self, BrowserError> {
        let stream = MediaStream::new(std::slice::from_ref(track))?;
        let context = AudioContext::new()?;
        let (source, analyser) = measuring(&context, stream.as_ref()).inspect_err(|_| close(&context))?;
        Ok(Self { source, analyser, context, samples: RefCell::new(vec![0.0; WINDOW_SAMPLES]) })
    }

    /// The root mean square of the latest samples, from 0 to 1; 0 while the context is suspended.
    #[must_use]
    pub fn level(&self) -> f32 {
        let mut samples = self.samples.borrow_mut();
        self.analyser.get_float_time_domain_data(&mut samples);
        let squares: f32 = samples.iter().map(|sample| sample * sample).sum();
        (squares / WINDOW_SAMPLES as f32).sqrt().min(1.0)
    }

    /// Whether the browser requires a gesture of the person before the context runs.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.context.state() == AudioContextState::Suspended
    }

    /// Resumes a suspended context; must be called from a gesture.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser does not allow it yet.
    pub async fn resume(&self) -> Result<(), BrowserError> {
        settled(self.context.resume()?).await.map(drop)
    }
}

impl Drop for LevelMeter {
    fn drop(&mut self) {
        let _ = self.source.disconnect();
        close(&self.context);
    }
}

fn measuring(
    context: &AudioContext,
    stream: &web_sys::MediaStream,
) -> Result<(MediaStreamAudioSourceNode, AnalyserNode), BrowserError> {
    let source =
        MediaStreamAudioSourceNode::new(context, &web_sys::MediaStreamAudioSourceOptions::new(stream))?;
    let analyser = context.create_analyser()?;
    analyser.set_fft_size(WINDOW_SAMPLES as u32);
    source.connect_with_audio_node(analyser.unchecked_ref())?;
    Ok((source, analyser))
}

fn close(context: &AudioContext) {
    // The promise only reports when the device is free, which nobody waits for.
    let _ = context.close();
}
