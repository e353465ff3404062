//! The demo video: a sky at dusk, cells that live and die across it like a flock, a clock and a chord.
//!
//! Everything slow is computed small and scaled up: the picture is soft anyway, and two cores make
//! three minutes in less than one.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::Command;

use super::PLAYLIST;
use crate::atomic;

/// Lines of ffmpeg's messages kept for an error.
const MESSAGE_LINES_MAX: usize = 6;

/// Length and cut of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Length in seconds.
    pub seconds: u32,
    /// Length of a segment in seconds.
    pub segment_seconds: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self { seconds: 180, segment_seconds: 4 }
    }
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// ffmpeg is not installed.
    #[error("ffmpeg is not on the PATH")]
    NoFfmpeg,
    /// ffmpeg failed.
    #[error("ffmpeg ended with {status}: {message}")]
    Failed {
        /// Its exit status.
        status: ExitStatus,
        /// The last lines it wrote.
        message: String,
    },
    /// The folder can't be written.
    #[error("{path}: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DemoError {
    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoFfmpeg => {
                "Install it (Debian, Ubuntu: apt install ffmpeg; Fedora: dnf install ffmpeg-free; \
                 macOS: brew install ffmpeg) and start again, or serve your own with --media DIR."
            }
            Self::Failed { .. } => {
                "An ffmpeg with libx264 and aac is needed; or serve your own with --media DIR."
            }
            Self::Io { .. } => "Check that there is space and that this user may write there.",
        }
    }
}

/// Makes the demo in `folder`, which must not exist: whole or not at all. `progress` is told the
/// percentage done.
///
/// # Errors
/// ffmpeg is missing or fails, or the folder can't be written.
pub async fn make(
    folder: &Path,
    shape: Shape,
    progress: &mut dyn FnMut(u32),
) -> Result<(), DemoError> {
    let fail = |source| DemoError::Io { path: folder.to_owned(), source };
    let temporary = atomic::beside(folder);
    remove(&temporary).await.map_err(fail)?;
    let made = match encode(&temporary, shape, true, progress).await {
        // An ffmpeg without fonts can't draw text.
        Err(DemoError::Failed { .. }) => {
            remove(&temporary).await.map_err(fail)?;
            encode(&temporary, shape, false, progress).await
        }
        made => made,
    };
    let placed = match made {
        Ok(()) => tokio::fs::rename(&temporary, folder).await.map_err(fail),
        Err(error) => Err(error),
    };
    if placed.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = remove(&temporary).await;
    }
    placed
}

async fn remove(folder: &Path) -> io::Result<()> {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn encode(
    folder: &Path,
    shape: Shape,
    with_text: bool,
    progress: &mut dyn FnMut(u32),
) -> Result<(), DemoError> {
    let fail = |source: io::Error| DemoError::Io { path: folder.to_owned(), source };
    tokio::fs::create_dir_all(folder).await.map_err(fail)?;
    let mut child = Command::new("ffmpeg")
        .args(arguments(shape, with_text))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DemoError::NoFfmpeg,
            _ => fail(error),
        })?;
    let steps = lines(child.stdout.take().expect("stdout is piped"));
    let messages = lines(child.stderr.take().expect("stderr is piped"));
    let ((), last) = tokio::join!(follow(steps, shape, progress), last_lines(messages));
    let status = child.wait().await.map_err(fail)?;
    if status.success() {
        return Ok(());
    }
    Err(DemoError::Failed { status, message: last.join("; ") })
}

fn lines<R: AsyncRead>(reader: R) -> Lines<BufReader<R>> {
    BufReader::new(reader).lines()
}

/// `-progress` writes `out_time_us=…` among other lines, `N/A` before the first frame.
async fn follow<R: AsyncRead + Unpin>(
    mut steps: Lines<BufReader<R>>,
    shape: Shape,
    progress: &mut dyn FnMut(u32),
) {
    let whole_us = u64::from(shape.seconds.max(1)) * 1_000_000;
    while let Ok(Some(line)) = steps.next_line().await {
        let done_us = line.strip_prefix("out_time_us=").and_then(|us| us.parse::<u64>().ok());
        if let Some(done_us) = done_us {
            let percent = (done_us.saturating_mul(100) / whole_us).min(100);
            progress(u32::try_from(percent).expect("at most 100"));
        }
    }
}

async fn last_lines<R: AsyncRead + Unpin>(mut messages: Lines<BufReader<R>>) -> Vec<String> {
    let mut last = VecDeque::new();
    while let Ok(Some(line)) = messages.next_line().await {
        last.push_back(line);
        if last.len() > MESSAGE_LINES_MAX {
            last.pop_front();
        }
    }
    last.into()
}

/// Two renditions from one picture: `hi` 1280x720 at 2.5 Mbit/s, `lo` 640x360 at 0.8 Mbit/s.
fn arguments(shape: Shape, with_text: bool) -> Vec<String> {
    const OUTPUT: &str = "-map [hi] -map [hi_sound] -map [lo] -map [lo_sound] \
        -c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0 \
        -b:v:0 2400k -maxrate:v:0 2650k -bufsize:v:0 5000k \
        -b:v:1 720k -maxrate:v:1 800k -bufsize:v:1 1600k -c:a aac -b:a 96k \
        -f hls -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags independent_segments \
        -hls_segment_filename %v/s%03d.m4s -hls_fmp4_init_filename init.mp4";
    let mut arguments: Vec<String> =
        "-hide_banner -nostdin -loglevel error -nostats -progress pipe:1 -filter_complex"
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    arguments.push(filters(shape, with_text));
    arguments.extend(OUTPUT.split_whitespace().map(str::to_owned));
    let key_frames = (FRAMES_PER_SECOND * shape.segment_seconds).to_string();
    let segment = shape.segment_seconds.to_string();
    let whole = shape.seconds.to_string();
    let streams = "v:0,a:0,name:hi v:1,a:1,name:lo";
    for text in [
        ["-g", &key_frames],
        ["-keyint_min", &key_frames],
        ["-hls_time", &segment],
        ["-t", &whole],
        ["-master_pl_name", PLAYLIST],
        ["-var_stream_map", streams],
    ] {
        arguments.extend(text.map(str::to_owned));
    }
    arguments.push("%v/index.m3u8".to_owned());
    arguments
}

const FRAMES_PER_SECOND: u32 = 24;

/// One line per layer, bottom first.
fn filters(shape: Shape, with_text: bool) -> String {
    let seconds = shape.seconds;
    let text = if with_text {
        "drawtext=text=Starling:fontcolor=white@0.92:fontsize=72:x=64:y=h-190,\
         drawtext=text='%{eif\\:t/60\\:d}\\:%{eif\\:mod(t,60)\\:d\\:2}':\
         fontcolor=white@0.85:fontsize=44:x=68:y=h-106,"
    } else {
        ""
    };
    let notes: String = [(220.0, 0.10), (277.18, 0.09), (329.63, 0.08), (415.3, 0.05)]
        .iter()
        .enumerate()
        .map(|(number, (hz, volume))| {
            format!("sine=f={hz}:r=44100:d={seconds},volume={volume}[note{number}];")
        })
        .collect();
    format!(
        "gradients=s=320x180:r={FRAMES_PER_SECOND}:d={seconds}:nb_colors=4:speed=0.015:seed=7:\
         c0=0x0b1b3a:c1=0x3a2a7a:c2=0xb2457a:c3=0xf2a65a,\
         format=yuv420p,vignette=PI/5,scale=1280:720:flags=bilinear[sky];\
         life=s=320x180:r=12:ratio=0.09:seed=11:mold=12:\
         life_color=white:death_color=0x402060:mold_color=black,\
         format=gray,gblur=sigma=0.7,scale=1280:720:flags=bilinear,format=yuv420p[flock];\
         [sky][flock]blend=shortest=1:c0_mode=screen:c0_opacity=0.55:c1_mode=normal:c2_mode=normal,\
         {text}format=yuv420p,split=2[hi][small];[small]scale=640:360:flags=bilinear[lo];\
         {notes}[note0][note1][note2][note3]amix=inputs=4:normalize=0,tremolo=f=0.2:d=0.5,\
         lowpass=f=1500,aformat=channel_layouts=stereo:sample_rates=44100,\
         asplit=2[hi_sound][lo_sound]"
    )
}
