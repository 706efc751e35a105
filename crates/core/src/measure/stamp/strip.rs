//! The strip: two rows of cells over the whole width of a frame, at its top edge.
//!
//! The first and the last column show the received levels of black and white. The columns between them contain, row by row and
//! most significant bit first, a version (4 bits), the frame's number (32), its time (32) and a checksum (16). Every cell is a
//! square of a 44th of the frame's width, so the strip scales with the picture: at a width of 160 pixels a cell has 3.6.

use std::time::Duration;

use crate::Timestamp;

/// Number of cells in a row.
pub const COLUMNS: usize = 44;
/// Number of rows.
pub const ROWS: usize = 2;

const VERSION: u32 = 0b1010;
const VERSION_BITS: usize = 4;
const NUMBER_BITS: usize = 32;
const TIME_BITS: usize = 32;
const CHECKSUM_BITS: usize = 16;
const DATA_COLUMNS: usize = COLUMNS - 2;
/// Unit of the time in a stamp: at a tenth of a millisecond, 32 bits last for five days.
const TICK: Duration = Duration::from_micros(100);
/// Minimum difference between the received levels of white and black, out of 255, for the strip to be readable.
const LEAST_CONTRAST: i32 = 40;

const _: () = assert!(VERSION_BITS + NUMBER_BITS + TIME_BITS + CHECKSUM_BITS == DATA_COLUMNS * ROWS);

/// The content of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Grows by one with every painted frame; starts again with another source.
    pub number: u32,
    /// The time of painting on the sender's clock, in tenths of a millisecond, modulo 2^32.
    ticks: u32,
}

/// The result of reading one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripReading {
    /// The stamp, or the reason why it could not be read.
    pub stamp: Result<Stamp, Unreadable>,
    /// Time that reading took in the page's thread.
    pub cost: Duration,
}

/// Why no stamp could be read from a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreadable {
    /// The reference cells are not black and white: there is no strip, or it was destroyed.
    #[error("there is no strip")]
    NoStrip,
    /// There is a strip, but some cells were distorted.
    #[error("the strip's checksum does not fit")]
    Damaged,
    /// The strip has a later version.
    #[error("the strip is of another version")]
    OtherVersion,
    /// The picture is too small for a strip.
    #[error("the picture is too small")]
    TooSmall,
    /// The element showed another frame already.
    #[error("the strip is that of another frame")]
    OtherFrame,
}

/// The cells of a strip; `true` is white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strip([[bool; COLUMNS]; ROWS]);

impl Stamp {
    /// The stamp of a frame that is painted `at` this time of the sender's clock.
    #[must_use]
    pub fn new(number: u32, at: Timestamp) -> Self {
        let ticks = at.since_origin().as_micros() / TICK.as_micros();
        #[allow(clippy::cast_possible_truncation, reason = "the strip has room for 32 bits")]
        Self { number, ticks: ticks as u32 }
    }

    /// The time of painting on the sender's clock, given a time `near` it on that clock: less than two and a half days away.
    #[must_use]
    pub fn painted_at(self, near: Timestamp) -> Timestamp {
        let near_ticks = i128::try_from(near.since_origin().as_micros() / TICK.as_micros()).unwrap_or(0);
        let circle = 1_i128 << 32;
        let behind = (near_ticks - i128::from(self.ticks)).rem_euclid(circle);
        let ticks = if behind < circle / 2 { near_ticks - behind } else { near_ticks - behind + circle };
        let micros = u64::try_from(ticks.max(0)).unwrap_or(0).saturating_mul(100);
        Timestamp::from_origin(Duration::from_micros(micros))
    }

    /// The time of painting less that of an `earlier` stamp, in microseconds: less than two and a half days.
    #[must_use]
    pub(super) fn micros_after(self, earlier: &Self) -> i64 {
        #[expect(clippy::cast_possible_wrap, reason = "a step of half the range or more is backwards")]
        let ticks = self.ticks.wrapping_sub(earlier.ticks) as i32;
        i64::from(ticks) * 100
    }

    /// The strip with this stamp.
    #[must_use]
    pub fn strip(self) -> Strip {
        let mut cells = [[false; COLUMNS]; ROWS];
        (cells[0][0], cells[ROWS - 1][COLUMNS - 1]) = (true, true);
        let fields = [
            (VERSION, VERSION_BITS),
            (self.number, NUMBER_BITS),
            (self.ticks, TIME_BITS),
            (u32::from(self.checksum()), CHECKSUM_BITS),
        ];
        let bits = fields
            .into_iter()
            .flat_map(|(value, bits)| (0..bits).rev().map(move |bit| value >> bit & 1 == 1));
        for (at, bit) in bits.enumerate() {
            cells[at / DATA_COLUMNS][1 + at % DATA_COLUMNS] = bit;
        }
        Strip(cells)
    }

    /// CRC-16/IBM-3740 of number and time.
    fn checksum(self) -> u16 {
        let bytes = self.number.to_be_bytes().into_iter().chain(self.ticks.to_be_bytes());
        bytes.fold(0xffff, |sum, byte| {
            (0..8).fold(sum ^ u16::from(byte) << 8, |sum: u16, _| {
                if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 }
            })
        })
    }
}

impl Strip {
    /// Whether a cell is white.
    #[must_use]
    pub fn is_white(&self, row: usize, column: usize) -> bool {
        self.0.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or(false)
    }

    /// Reads the stamp from the pixels of the strip alone: `luma` has `width` times `height` values, row by row. The picture,
    /// and with it the strip, may have been scaled to any size.
    ///
    /// # Errors
    /// [`Unreadable`] if there is no stamp, or none that can be trusted: a wrong stamp passes the checksum once in 2^16.
    pub fn read(luma: &[u8], width: usize, height: usize) -> Result<Stamp, Unreadable> {
        if width < COLUMNS || height < ROWS || luma.len() < width * height {
            return Err(Unreadable::TooSmall);
        }
        let cell = |row: usize, column: usize| {
            let (top, bottom) = middle(row, ROWS, height);
            let (left, right) = middle(column, COLUMNS, width);
            let sum: u32 = (top..bottom)
                .flat_map(|y| &luma[y * width + left..y * width + right])
                .map(|luma| u32::from(*luma))
                .sum();
            let count = (bottom - top) * (right - left);
            i32::try_from(sum as usize / count).unwrap_or(0)
        };
        // White is above black on the left, and black above white on the right.
        let ends = [(cell(0, 0), cell(ROWS - 1, 0)), (cell(ROWS - 1, COLUMNS - 1), cell(0, COLUMNS - 1))];
        if ends.iter().any(|(white, black)| white - black < LEAST_CONTRAST) {
            return Err(Unreadable::NoStrip);
        }
        // Brightness may decrease from one end to the other, so the threshold is interpolated.
        let thresholds = ends.map(|(white, black)| (white + black) / 2);
        let last = i32::try_from(COLUMNS - 1).unwrap_or(1);
        let threshold = |column: usize| {
            let column = i32::try_from(column).unwrap_or(0);
            (thresholds[0] * (last - column) + thresholds[1] * column) / last
        };
        let mut bits = (0..DATA_COLUMNS * ROWS).map(|at| {
            let (row, column) = (at / DATA_COLUMNS, 1 + at % DATA_COLUMNS);
            u32::from(cell(row, column) > threshold(column))
        });
        let mut take = |count: usize| bits.by_ref().take(count).fold(0, |value, bit| value << 1 | bit);
        let version = take(VERSION_BITS);
        let stamp = Stamp { number: take(NUMBER_BITS), ticks: take(TIME_BITS) };
        let checksum = take(CHECKSUM_BITS);
        match (checksum == u32::from(stamp.checksum()), version == VERSION) {
            (true, true) => Ok(stamp),
            (true, false) => Err(Unreadable::OtherVersion),
            (false, _) => Err(Unreadable::Damaged),
        }
    }
}

/// Height in pixels of the strip in a picture of this width.
#[must_use]
pub fn strip_height(width: f64) -> f64 {
    width * (ROWS as f64) / (COLUMNS as f64)
}

/// Luma (ITU-R BT.601) of `rgba` pixels: one byte for each four.
#[must_use]
pub fn luma_of_rgba(rgba: &[u8]) -> Vec<u8> {
    let luma = |pixel: &[u8; 4]| {
        let [red, green, blue, _] = pixel.map(u32::from);
        u8::try_from((red * 77 + green * 150 + blue * 29) >> 8).unwrap_or(u8::MAX)
    };
    rgba.as_chunks().0.iter().map(luma).collect()
}

/// The pixels in the middle half of a cell, at least one: those at its edges are mixed with the neighboring cells.
fn middle(cell: usize, cells: usize, pixels: usize) -> (usize, usize) {
    let quarter = |quarters: usize| (cell * 4 + quarters) * pixels / (cells * 4);
    let (from, to) = (quarter(1), quarter(3));
    if from < to { (from, to) } else { (quarter(2), quarter(2) + 1) }
}
