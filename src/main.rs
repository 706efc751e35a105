//! The entry point, which only mounts the app.

fn main() {
    wasm_bindgen_futures::spawn_local(sightline::app::mount());
}
