//! Painted people before a painted wall, as a short film in YUV4MPEG2, for screenshots of the application: Chromium's own test
//! picture is a green clock.

use std::{fs::File, io, io::Write, path::Path};

/// The person in front of a fake camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Portrait {
    /// Long dark hair, an ochre pullover, evening light in a window.
    Ada,
    /// Short hair and a beard, a blue shirt, a plant.
    Bob,
    /// Red curls, a green jacket, shelves.
    Eve,
}

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const FPS: usize = 15;
/// Number of frames in the film, which then repeats without a jump.
const FRAMES: usize = 45;

/// Writes the film.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_film(portrait: Portrait, path: &Path) -> io::Result<()> {
    let mut file = io::BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg")?;
    for number in 0..FRAMES {
        let turn = number as f32 / FRAMES as f32 * std::f32::consts::TAU;
        writeln!(file, "FRAME")?;
        file.write_all(&Painting::of(portrait, turn).yuv())?;
    }
    file.flush()
}

type Colour = [f32; 3];

const fn rgb(hex: u32) -> Colour {
    [(hex >> 16 & 255) as f32, (hex >> 8 & 255) as f32, (hex & 255) as f32]
}

/// The distance of a point from a shape, negative inside. The height of the picture is 1, and x is 0 in the middle.
trait Shape: Fn(f32, f32) -> f32 {}
impl<F: Fn(f32, f32) -> f32> Shape for F {}

fn ellipse(x0: f32, y0: f32, width: f32, height: f32) -> impl Shape {
    move |x, y| {
        let (dx, dy) = ((x - x0) / width, (y - y0) / height);
        (dx.hypot(dy) - 1.0) * width.min(height)
    }
}

fn block(x0: f32, y0: f32, width: f32, height: f32, radius: f32) -> impl Shape {
    move |x, y| {
        let dx = ((x - x0).abs() - width + radius).max(0.0);
        let dy = ((y - y0).abs() - height + radius).max(0.0);
        dx.hypot(dy) - radius
    }
}

struct Painting {
    pixels: Vec<Colour>,
}

impl Painting {
    fn of(portrait: Portrait, turn: f32) -> Self {
        let mut painting = Self { pixels: vec![[0.0; 3]; WIDTH * HEIGHT] };
        match portrait {
            Portrait::Ada => painting.ada(turn),
            Portrait::Bob => painting.bob(turn),
            Portrait::Eve => painting.eve(turn),
        }
        painting
    }

    fn ada(&mut self, turn: f32) {
        self.wall(rgb(0x00e9_d9c4), rgb(0x00c9_ae93));
        self.fill(block(-0.58, 0.3, 0.24, 0.32, 0.02), rgb(0x00fb_f4e6));
        self.fill(block(-0.58, 0.3, 0.22, 0.3, 0.01), rgb(0x00f6_b26b));
        self.fill(ellipse(-0.5, 0.44, 0.07, 0.07), rgb(0x00ff_e2a8));
        self.fill(block(-0.58, 0.54, 0.22, 0.06, 0.01), rgb(0x007d_6a86));
        self.fill(block(-0.58, 0.3, 0.008, 0.3, 0.0), rgb(0x00fb_f4e6));
        self.fill(block(0.66, 0.55, 0.008, 0.45, 0.0), rgb(0x006b_5747));
        self.fill(ellipse(0.66, 0.22, 0.13, 0.09), rgb(0x00ff_efc9));
        let (x, y) = sway(turn, 0.012);
        let (skin, hair) = (rgb(0x00e3_a982), rgb(0x0033_2320));
        self.fill(block(x, y + 0.56, 0.215, 0.34, 0.19), hair);
        self.shoulders(x * 0.5, rgb(0x00d8_9a2b));
        self.head(x, y, skin);
        self.fill(ellipse(x - 0.04, y + 0.285, 0.165, 0.085), hair);
        self.fill(ellipse(x - 0.165, y + 0.43, 0.045, 0.16), hair);
        self.fill(ellipse(x + 0.165, y + 0.43, 0.045, 0.16), hair);
        self.face(x, y, turn, hair, rgb(0x00a9_4a42));
    }

    fn bob(&mut self, turn: f32) {
        self.wall(rgb(0x006f_a3a0), rgb(0x0042_7472));
        self.fill(block(0.6, 0.34, 0.2, 0.17, 0.01), rgb(0x00f3_efe4));
        self.fill(block(0.6, 0.34, 0.18, 0.15, 0.0), rgb(0x002d_5260));
        self.fill(ellipse(0.54, 0.36, 0.07, 0.07), rgb(0x00f0_b35a));
        self.fill(block(-0.64, 0.93, 0.09, 0.12, 0.02), rgb(0x00c9_7b4f));
        for (dx, dy, width) in
            [(-0.1, 0.62, 0.045), (0.0, 0.52, 0.05), (0.11, 0.64, 0.045), (0.05, 0.72, 0.04)]
        {
            let bend = 0.008 * (turn + dx * 20.0).sin();
            self.fill(ellipse(-0.64 + dx + bend, dy, width, 0.16), rgb(0x0025_5a43));
        }
        let (x, y) = sway(turn + 2.0, 0.014);
        let (skin, hair) = (rgb(0x008d_5a3c), rgb(0x001d_1512));
        self.shoulders(x * 0.5, rgb(0x0027_3f73));
        self.fill(block(x * 0.5, 0.86, 0.035, 0.2, 0.02), rgb(0x00ec_e7dc));
        self.head(x, y, skin);
        self.fill(ellipse(x, y + 0.535, 0.125, 0.095), hair);
        self.fill(ellipse(x, y + 0.475, 0.112, 0.07), skin);
        self.fill(ellipse(x, y + 0.275, 0.152, 0.075), hair);
        self.face(x, y, turn + 1.0, hair, rgb(0x006a_2f2a));
    }

    fn eve(&mut self, turn: f32) {
        self.wall(rgb(0x00d5_d9e4), rgb(0x00a9_afc4));
        for shelf in [0.26, 0.52, 0.78] {
            for (at, colour) in
                [0x00b7_5d4e, 0x003f_5f8a, 0x00d9_b45b, 0x004f_7a5c, 0x007c_6597].into_iter().enumerate()
            {
                let at = at as f32;
                let x0 = 0.42 + at * 0.085 + 0.02 * (at * 3.0 + shelf * 40.0).sin();
                let tall = 0.075 + 0.02 * (at * 5.0 + shelf * 60.0).cos();
                self.fill(block(x0, shelf - tall, 0.026, tall, 0.004), rgb(colour));
            }
            self.fill(block(0.62, shelf + 0.01, 0.3, 0.012, 0.0), rgb(0x0086_6a52));
        }
        let (x, y) = sway(turn + 4.0, 0.016);
        let (skin, hair) = (rgb(0x00f0_c6a4), rgb(0x00a5_4527));
        for curl in 0..11_u8 {
            let angle = std::f32::consts::PI * (f32::from(curl) / 10.0 * 1.5 + 0.75);
            self.fill(ellipse(x + 0.165 * angle.cos(), y + 0.4 + 0.2 * angle.sin(), 0.075, 0.075), hair);
        }
        self.shoulders(x * 0.5, rgb(0x002f_6b57));
        self.head(x, y, skin);
        for (dx, width) in [(-0.085, 0.07), (0.0, 0.08), (0.085, 0.07)] {
            self.fill(ellipse(x + dx, y + 0.27, width, 0.06), hair);
        }
        self.face(x, y, turn + 2.5, hair, rgb(0x00b4_4a4a));
        for side in [-0.062, 0.062] {
            let ring = |px: f32, py: f32| ellipse(x + side, y + 0.405, 0.046, 0.042)(px, py).abs() - 0.005;
            self.fill(ring, rgb(0x0023_2a3a));
        }
        self.fill(block(x, y + 0.402, 0.018, 0.005, 0.0), rgb(0x0023_2a3a));
    }

    /// Light from above on the left.
    fn wall(&mut self, light: Colour, dark: Colour) {
        for (at, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = ((at % WIDTH) as f32 / WIDTH as f32, (at / WIDTH) as f32 / HEIGHT as f32);
            *pixel = blend(light, dark, (x * 0.6 + y * 0.5).clamp(0.0, 1.0));
        }
    }

    fn shoulders(&mut self, x: f32, colour: Colour) {
        self.fill(ellipse(x, 1.06, 0.36, 0.34), colour);
    }

    fn head(&mut self, x: f32, y: f32, skin: Colour) {
        let shade = blend(skin, [0.0; 3], 0.12);
        self.fill(block(x * 0.75, y + 0.63, 0.062, 0.13, 0.05), shade);
        self.fill(ellipse(x - 0.146, y + 0.43, 0.025, 0.04), shade);
        self.fill(ellipse(x + 0.146, y + 0.43, 0.025, 0.04), shade);
        self.fill(ellipse(x, y + 0.42, 0.145, 0.19), skin);
    }

    fn face(&mut self, x: f32, y: f32, turn: f32, hair: Colour, lips: Colour) {
        let open = if (turn * 2.0).sin() > 0.97 { 0.003 } else { 0.016 };
        for side in [-0.06, 0.06] {
            self.fill(ellipse(x + side, y + 0.405, 0.014, open), rgb(0x001f_1a1a));
            self.fill(block(x + side, y + 0.362, 0.03, 0.006, 0.006), hair);
        }
        let speaks = 0.5 + 0.5 * (turn * 5.0).sin();
        self.fill(ellipse(x, y + 0.515, 0.042, 0.01 + 0.014 * speaks), lips);
    }

    fn fill(&mut self, shape: impl Shape, colour: Colour) {
        let pixel_size = 1.0 / HEIGHT as f32;
        for (at, pixel) in self.pixels.iter_mut().enumerate() {
            let x = ((at % WIDTH) as f32 + 0.5 - WIDTH as f32 / 2.0) * pixel_size;
            let y = ((at / WIDTH) as f32 + 0.5) * pixel_size;
            let covered = (0.5 - shape(x, y) / pixel_size).clamp(0.0, 1.0);
            if covered > 0.0 {
                *pixel = blend(*pixel, colour, covered);
            }
        }
    }

    /// Planes of luma and, at half the size, of chroma (ITU-T T.871).
    fn yuv(&self) -> Vec<u8> {
        let luma = |[red, green, blue]: Colour| 0.299 * red + 0.587 * green + 0.114 * blue;
        let mut planes: Vec<u8> = self.pixels.iter().map(|pixel| byte(luma(*pixel))).collect();
        let corners =
            || (0..HEIGHT).step_by(2).flat_map(|y| (0..WIDTH).step_by(2).map(move |x| y * WIDTH + x));
        planes.extend(corners().map(|at| {
            let pixel = self.pixels[at];
            byte(128.0 + (pixel[2] - luma(pixel)) * 0.564)
        }));
        planes.extend(corners().map(|at| {
            let pixel = self.pixels[at];
            byte(128.0 + (pixel[0] - luma(pixel)) * 0.713)
        }));
        planes
    }
}

/// The position of a head that always moves a little.
fn sway(turn: f32, much: f32) -> (f32, f32) {
    (much * turn.sin(), 0.5 * much * (turn * 2.0).cos() + 0.03)
}

fn blend(under: Colour, over: Colour, covered: f32) -> Colour {
    [0, 1, 2].map(|at| under[at] + (over[at] - under[at]) * covered)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
