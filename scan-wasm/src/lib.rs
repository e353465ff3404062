//! QR codes in pictures, as a module for a worker of the page (`static/scan/worker.js`), loaded where the browser
//! has no `BarcodeDetector`.
//!
//! It stands alone: a picture that breaks the reader ends a worker that holds nothing, and the next picture gets
//! another.

use wasm_bindgen::prelude::*;

/// Longest side of a picture, in pixels: finer ones are made smaller before.
const SIDE_PX_MAX: usize = 4096;
/// Bytes of a pixel: red, green, blue, opacity.
const PIXEL_BYTES: usize = 4;

/// The text of the first code in a picture that can be read; `rgba`: four bytes a pixel, line by line.
#[wasm_bindgen]
pub fn read(width: u32, height: u32, rgba: &[u8]) -> Option<String> {
    let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    let fits = (1..=SIDE_PX_MAX).contains(&width) && (1..=SIDE_PX_MAX).contains(&height);
    if !fits || rgba.len() != width * height * PIXEL_BYTES {
        return None;
    }
    let grey = |x: usize, y: usize| grey(rgba.get((y * width + x) * PIXEL_BYTES..));
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    picture.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
}

/// How bright a pixel is (ITU-R BT.601); outside of the picture it is white.
fn grey(pixel: Option<&[u8]>) -> u8 {
    let Some([red, green, blue, ..]) = pixel else { return u8::MAX };
    let sum = 77 * u32::from(*red) + 150 * u32::from(*green) + 29 * u32::from(*blue);
    u8::try_from(sum >> 8).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use qrcodegen::{QrCode, QrCodeEcc};

    use super::*;

    /// A picture of a code, so many pixels a module, with a margin; its side and its bytes.
    fn picture(text: &str, scale: usize) -> (u32, Vec<u8>) {
        let code = QrCode::encode_text(text, QrCodeEcc::Low).unwrap();
        let modules = usize::try_from(code.size()).unwrap();
        let side = (modules + 8) * scale;
        let mut rgba = vec![255; side * side * PIXEL_BYTES];
        for y in 0..side {
            for x in 0..side {
                let place = |at: usize| i32::try_from(at / scale).unwrap() - 4;
                if code.get_module(place(x), place(y)) {
                    let at = (y * side + x) * PIXEL_BYTES;
                    rgba[at..at + 3].fill(20);
                }
            }
        }
        (u32::try_from(side).unwrap(), rgba)
    }

    #[test]
    fn a_code_that_our_pages_draw_is_read() {
        let request =
            format!("https://a.example/identity/present#request={}", "eyJhbGciOi".repeat(120));
        for (text, scale) in [("did:key:z6Mk", 4), (request.as_str(), 4)] {
            let (side, rgba) = picture(text, scale);
            assert_eq!(read(side, side, &rgba).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_picture_of_a_code_is_nothing() {
        assert_eq!(read(64, 64, &[255; 64 * 64 * 4]), None);
        assert_eq!(read(64, 64, &[0; 64 * 64 * 4]), None);
        assert_eq!(read(64, 64, &[]), None);
        assert_eq!(read(0, 0, &[]), None);
        assert_eq!(read(u32::MAX, u32::MAX, &[1; 4]), None);
        let (side, mut rgba) = picture("did:key:z6Mk", 4);
        // Half of it is covered.
        let half = rgba.len() / 2;
        rgba[half..].fill(255);
        assert_eq!(read(side, side, &rgba), None);
    }
}
