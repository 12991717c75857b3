include!(concat!(env!("OUT_DIR"), "/special.skel.rs"));

use special::{SpecialSkelBuilder, types};

fn main() {
    let open = SpecialSkelBuilder::new().open().unwrap();
    // Variables of every linkage.
    assert_eq!(&open.data.version_text, b"v1\0");
    assert_eq!((open.data.weak_value, open.data.hidden_value), (3, 4));

    // The kernel's types behind pointers are not followed, and its own types in values are laid out like others.
    let request = types::request::default();
    let _: (u64, [u8; 2]) = (request.task, request.__);
    let _: types::bpf_timer = types::value::default().timer;
    assert_eq!(size_of::<types::value>(), 32);

    // Programs are those that can be loaded, not the functions that they call; maps are also those of libbpf's headers
    // and structs of operations.
    let skel = open.load().unwrap();
    let progs = &skel.progs;
    let names = [&progs.probe, &progs.unlink, &progs.avoid].map(|program| program.name.as_str());
    assert_eq!(names, ["probe", "unlink", "avoid"]);
    let maps = &skel.maps;
    let names = [&maps.values, &maps.calls, &maps.mine, &maps.__bpf_usdt_specs];
    let names = names.map(|map| map.name.as_str());
    assert_eq!(names, ["values", "calls", "mine", "__bpf_usdt_specs"]);
}
