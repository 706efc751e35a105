//! A picture of luma values, and its distortions between two browsers.

use sightline_core::measure::stamp::{COLUMNS, ROWS, Strip, strip_height};

/// A small pseudo-random generator: the same seed gives the same picture.
#[derive(Debug, Clone)]
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// The next number, from -1 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 40) as u32) / f64::from(1_u32 << 23) - 1.0
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) luma: Vec<f64>,
}

impl Picture {
    /// The upper part of a frame of this width: the painted strip, and random content below it.
    pub(crate) fn painted(strip: &Strip, width: usize, content: &mut Noise) -> Self {
        let height = (strip_height(width as f64) * 3.0).ceil() as usize;
        let cell = width as f64 / COLUMNS as f64;
        let luma = (0..height * width).map(|at| {
            let (row, column) = ((at / width) as f64 / cell, (at % width) as f64 / cell);
            if row < ROWS as f64 {
                if strip.is_white(row as usize, column as usize) { 255.0 } else { 0.0 }
            } else {
                127.5 + content.next() * 127.5
            }
        });
        Self { width, height, luma: luma.collect() }
    }

    /// The upper left part of this size, scaled to another number of pixels: each is the mean of the pixels that it covers.
    pub(crate) fn scaled(&self, from_width: f64, from_height: f64, width: usize, height: usize) -> Self {
        let across = weights(from_width, width, self.width);
        let down = weights(from_height, height, self.height);
        let mut luma = Vec::with_capacity(width * height);
        for rows in &down {
            for columns in &across {
                let mut sum = 0.0;
                for (y, weight_y) in rows {
                    for (x, weight_x) in columns {
                        sum += self.luma[y * self.width + x] * weight_y * weight_x;
                    }
                }
                luma.push(sum);
            }
        }
        Self { width, height, luma }
    }

    /// Scaled to another width, as by an encoder with too few bits.
    pub(crate) fn resized(&self, width: usize) -> Self {
        let height = (self.height * width).div_ceil(self.width);
        self.scaled(self.width as f64, self.height as f64, width, height)
    }

    /// Each pixel mixed with its neighbors: with an `amount` of 1 it is their mean.
    pub(crate) fn blurred(&self, amount: f64) -> Self {
        let at = |x: isize, y: isize| {
            let x = x.clamp(0, self.width as isize - 1) as usize;
            let y = y.clamp(0, self.height as isize - 1) as usize;
            self.luma[y * self.width + x]
        };
        let mut blurred = self.clone();
        for y in 0..self.height as isize {
            for x in 0..self.width as isize {
                let around: f64 = (-1..=1)
                    .flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)))
                    .map(|(dx, dy)| at(x + dx, y + dy))
                    .sum();
                let own = &mut blurred.luma[y as usize * self.width + x as usize];
                *own = *own * (1.0 - amount) + around / 9.0 * amount;
            }
        }
        blurred
    }

    /// Distorted as by a codec at a low bitrate: reduced contrast, coarse steps, noise.
    pub(crate) fn coarse(&self, contrast: f64, step: f64, noise: f64, random: &mut Noise) -> Self {
        let mut coarse = self.clone();
        for luma in &mut coarse.luma {
            let squeezed = 127.5 + (*luma - 127.5) * contrast + random.next() * noise;
            *luma = ((squeezed / step).round() * step).clamp(0.0, 255.0);
        }
        coarse
    }

    /// The strip as a receiver draws it, in this number of pixels.
    pub(crate) fn strip_pixels(&self, width: usize, height: usize) -> Vec<u8> {
        let cut = self.scaled(self.width as f64, strip_height(self.width as f64), width, height);
        cut.luma.iter().map(|luma| luma.round().clamp(0.0, 255.0) as u8).collect()
    }
}

/// For each of `to` pixels over a length of `from`: the pixels of `have` that it covers, with their weights.
fn weights(from: f64, to: usize, have: usize) -> Vec<Vec<(usize, f64)>> {
    let size = from / to as f64;
    (0..to)
        .map(|at| {
            let (begin, end) = (at as f64 * size, (at + 1) as f64 * size);
            let last = (end.ceil() as usize).min(have);
            (begin as usize..last)
                .map(|pixel| {
                    let covered = (end.min((pixel + 1) as f64) - begin.max(pixel as f64)).max(0.0);
                    (pixel.min(have - 1), covered / size)
                })
                .collect()
        })
        .collect()
}
