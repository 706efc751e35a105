//! Sends the frames of a file through a canvas: to stamp each frame, or where an element cannot be captured.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use js_sys::Function;
use sightline_core::measure::stamp::{COLUMNS, ROWS, Stamp};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement, MediaStreamTrack};

use super::{
    file_player::{FilePlayer, create},
    frame_callback::FrameCallback,
    track::{LocalTrack, MediaTrack},
};
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    page::{clock, window::member},
};

/// Number of frames for the mean cost: about a second of frames.
const COST_FRAMES: u32 = 30;

/// Paints each frame that a player shows, in its own size, on a captured canvas. It paints nothing while the page is hidden,
/// since browsers give no frame callbacks then.
#[derive(Debug)]
pub struct FramePainter {
    _frames: FrameCallback,
    canvas: Rc<RefCell<Canvas>>,
    track: LocalTrack,
}

#[derive(Debug)]
struct Canvas {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    video: HtmlVideoElement,
    is_stamping: bool,
    next_number: u32,
    cost: Cell<Duration>,
}

impl FramePainter {
    /// Begins to paint each frame, with a stamp if `is_stamping`.
    ///
    /// # Errors
    /// [`BrowserError`]: not supported without frame callbacks or without canvas capture.
    pub fn start(player: &FilePlayer, is_stamping: bool) -> Result<Self, BrowserError> {
        let mut canvas = Canvas::new(&player.video, is_stamping)?;
        // The present frame, since the next one may be far away.
        canvas.paint();
        let track = LocalTrack::new(canvas.capture()?);
        let canvas = Rc::new(RefCell::new(canvas));
        let painted = Rc::clone(&canvas);
        let frames = FrameCallback::new(&player.video, move |_, _| painted.borrow_mut().paint())
            .ok_or_else(|| BrowserError::not_supported("requestVideoFrameCallback"))?;
        Ok(Self { _frames: frames, canvas, track })
    }

    /// The track of the painted frames.
    #[must_use]
    pub fn track(&self) -> &MediaTrack {
        self.track.track()
    }

    /// Whether the painted frames are stamped.
    #[must_use]
    pub fn is_stamping(&self) -> bool {
        self.canvas.borrow().is_stamping
    }

    /// Repeats the last frame so that a late joiner gets a picture of a still source.
    pub fn repaint(&self) {
        self.canvas.borrow_mut().paint();
    }

    /// Time of the page's thread for painting one frame, on average over the last second. The time of the graphics card is not
    /// included.
    #[must_use]
    pub fn cost(&self) -> Duration {
        self.canvas.borrow().cost.get()
    }
}

impl Canvas {
    fn new(video: &HtmlVideoElement, is_stamping: bool) -> Result<Self, BrowserError> {
        let element: HtmlCanvasElement = create("canvas")?.unchecked_into();
        let options = dictionary(&[("alpha", JsValue::FALSE)]);
        let context = element
            .get_context_with_context_options("2d", &options)?
            .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
            .unchecked_into();
        let video = video.clone();
        Ok(Self { element, context, video, is_stamping, next_number: 0, cost: Cell::default() })
    }

    fn capture(&self) -> Result<MediaTrack, BrowserError> {
        let capture = member(&self.element, "captureStream")
            .ok_or_else(|| BrowserError::not_supported("HTMLCanvasElement.captureStream"))?;
        let stream: web_sys::MediaStream =
            capture.unchecked_into::<Function>().call0(&self.element)?.unchecked_into();
        let track: MediaStreamTrack = stream.get_video_tracks().get(0).unchecked_into();
        Ok(MediaTrack::from(track))
    }

    fn paint(&mut self) {
        let begin = clock::now();
        let (width, height) = (self.video.video_width(), self.video.video_height());
        // Setting a size clears the canvas, so it is set only when it changes.
        if (self.element.width(), self.element.height()) != (width, height) {
            self.element.set_width(width);
            self.element.set_height(height);
        }
        // Throws if there is no picture yet, and then there is none to send.
        let _ = self.context.draw_image_with_html_video_element(&self.video, 0.0, 0.0);
        if self.is_stamping {
            self.paint_strip(Stamp::new(self.next_number, begin));
            self.next_number = self.next_number.wrapping_add(1);
        }
        let cost = (self.cost.get() * (COST_FRAMES - 1) + (clock::now() - begin)) / COST_FRAMES;
        self.cost.set(cost);
    }

    fn paint_strip(&self, stamp: Stamp) {
        let strip = stamp.strip();
        let cell = f64::from(self.element.width()) / COLUMNS as f64;
        self.context.set_fill_style_str("#000");
        self.context.fill_rect(0.0, 0.0, cell * COLUMNS as f64, cell * ROWS as f64);
        self.context.set_fill_style_str("#fff");
        for row in 0..ROWS {
            let mut column = 0;
            while column < COLUMNS {
                let length = (column..COLUMNS).take_while(|at| strip.is_white(row, *at)).count();
                if length > 0 {
                    let (left, top) = (column as f64 * cell, row as f64 * cell);
                    self.context.fill_rect(left, top, length as f64 * cell, cell);
                }
                column += length + 1;
            }
        }
    }
}
