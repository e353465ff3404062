//! Set-up: what a chore needs and the machine lacks is installed, each step shown with its reason.
//!
//! Everything of ours goes into one cache folder; only the target of the Rust toolchain and packages
//! of the system go elsewhere. A step that finds its thing in place costs a file look-up.

mod node;
mod python;
mod rust;
mod system;

use anyhow::Result;

use crate::house::House;

pub(crate) use node::install_locked;
pub(crate) use python::interop_packages;
pub(crate) use rust::wasm_bindgen_version;

/// What building the web bundle takes.
pub(crate) fn for_web(house: &House) -> Result<()> {
    system::install(house, &[system::NODE])?;
    build_tools(house)
}

fn build_tools(house: &House) -> Result<()> {
    rust::wasm_target(house)?;
    rust::trunk(house)?;
    rust::wasm_bindgen(house)?;
    rust::wasm_split(house)?;
    node::build_tools(house)
}

/// What `run` takes: the bundle, and ffmpeg for the demo video.
pub(crate) fn for_run(house: &House) -> Result<()> {
    system::install(house, &[system::NODE, system::FFMPEG])?;
    build_tools(house)
}

/// What `cluster` takes: NATS, and ffmpeg for the demo video.
pub(crate) fn for_cluster(house: &House) -> Result<()> {
    for_web(house)?;
    system::install(house, &[system::FFMPEG, system::NATS])
}

/// What `test` takes besides: browsers and checkers.
pub(crate) fn for_test(house: &House) -> Result<()> {
    system::install(
        house,
        &[
            system::NODE,
            system::FFMPEG,
            system::CHROMIUM,
            system::CHROMEDRIVER,
            system::FIREFOX,
            system::PYTHON,
            system::COTURN,
            system::NATS,
            system::IPROUTE,
            system::NFTABLES,
            system::OPENSSL,
        ],
    )?;
    build_tools(house)?;
    rust::checkers(house)
}
