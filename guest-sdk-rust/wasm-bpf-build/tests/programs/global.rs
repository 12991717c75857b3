include!(concat!(env!("OUT_DIR"), "/global.skel.rs"));

use global::{GlobalSkelBuilder, types};
use std::mem::offset_of;
use wasm_bpf_guest::zerocopy::IntoBytes;
use wasm_bpf_guest::{Constant, Global};

fn main() {
    let mut open = GlobalSkelBuilder::new().open().unwrap();
    open.rodata.limit = 140;
    open.data.level = types::level::LOW;
    let skel = open.load().unwrap();
    // Loading maps nothing yet.
    assert!(skel.object.mapped().is_empty());

    // Each variable has its own type and place, and the value that it was loaded with.
    let data: &global::GlobalData = &skel.data;
    let _: &Global<u8> = &data.section;
    let _: &Global<u64> = &data.get;
    let _: &Global<i32> = &data.r#type;
    let _: &Global<[u16; 3]> = &data.new;
    let _: &Global<u32> = &data.object;
    let _: &Global<u32> = &data.value;
    let _: &Global<[types::point; 2]> = &data.points;
    let _: &Global<types::level> = &data.level;
    let _: &Global<i32> = &data.look_calls;
    assert_eq!(data.section.get().unwrap(), 1);
    assert_eq!(data.get.get().unwrap(), 2);
    assert_eq!(data.r#type.get().unwrap(), -3);
    assert_eq!(data.new.get().unwrap(), [4, 5, 6]);
    assert_eq!(data.object.get().unwrap(), 7);
    assert_eq!(data.value.get().unwrap(), 8);
    let points = data.points.get().unwrap().map(|point| (point.x, point.y));
    assert_eq!(points, [(9, 10), (11, 12)]);
    assert_eq!(data.unnamed.get().unwrap().sign, -13);
    assert_eq!(data.level.get().unwrap(), types::level::LOW);
    assert_eq!(data.look_calls.get().unwrap(), 26);

    let bss: &global::GlobalBss = &skel.bss;
    let _: (&Global<u32>, &Global<u64>, &Global<u64>) = (&bss.count, &bss.self_, &bss.text);
    let rodata: &global::GlobalRodata = &skel.rodata;
    let _: &Constant<types::point> = &rodata.origin;
    let _: &Constant<u32> = &rodata.limit;
    assert_eq!(rodata.limit.get().unwrap(), 140);
    assert_eq!(rodata.origin.get().unwrap().y, 16);

    // Named sections.
    let _: &Global<u64> = &skel.data_foo.second;
    let _: &Constant<u16> = &skel.rodata_foo.third;
    let _: &Global<u32> = &skel.bss_foo.fourth;
    assert_eq!(skel.data_foo.first.get().unwrap(), 17);
    assert_eq!(skel.data_foo.second.get().unwrap(), 18);
    assert_eq!(skel.rodata_foo.third.get().unwrap(), 19);
    assert_eq!(skel.data_a_b.fifth.get().unwrap(), 20);
    assert_eq!(skel.data_a_b_2.sixth.get().unwrap(), 21);
    assert_eq!(skel.data_aB.seventh.get().unwrap(), 22);
    let only: &global::GlobalDataOnly = &skel.data_only;
    assert_eq!(only.hidden.get().unwrap(), 23);
    assert_eq!(only.alone.get().unwrap(), 24);
    let _: &Global<u8> = &skel.data_odd.yes;
    assert_eq!(skel.data_odd.wide.get().unwrap(), 25);
    assert_eq!(skel.data_odd.yes.get().unwrap(), 1);

    // What programs write is seen, and they see what is written here: nothing else changes.
    let at = offset_of!(types::bss, self_);
    skel.object.store(".bss", at, &30u64.to_le_bytes());
    assert_eq!(bss.self_.get().unwrap(), 30);
    assert_eq!(bss.count.get().unwrap(), 0);
    let mut expected = skel.object.section(".data");
    let at = offset_of!(types::data, points);
    expected[at..at + 8].copy_from_slice(&[31u16, 32, 33, 34].map(u16::to_le_bytes).concat());
    let [mut one, mut two] = [types::point::default(); 2];
    (one.x, one.y, two.x, two.y) = (31, 32, 33, 34);
    data.points.set(&[one, two]).unwrap();
    assert_eq!(skel.object.section(".data"), expected);
    skel.bss_foo.fourth.set(&35).unwrap();
    assert_eq!(skel.object.section(".bss.foo"), 35u32.to_le_bytes());

    // All at once.
    let all: Box<types::data> = data.get().unwrap();
    assert_eq!(&all.as_bytes()[..types::data::SIZE], expected);
    assert_eq!((all.section, all.get, all.r#type), (1, 2, -3));
    assert_eq!((all.object, all.value, all.look_calls), (7, 8, 26));
    assert_eq!(all.points[1].x, 33);
    assert_eq!(bss.get().unwrap().self_, 30);
    assert_eq!(rodata.get().unwrap().origin.x, 15);
    assert_eq!(skel.rodata_foo.get().unwrap().third, 19);
    assert_eq!(only.get().unwrap().alone, 24);
    let odd = skel.data_odd.get().unwrap();
    assert_eq!((odd.wide, odd.yes, types::data_odd::SIZE), (25, 1, 9));

    // All variables of a section share its memory.
    let mut mapped = skel.object.mapped();
    mapped.retain(|section| section == ".data");
    assert_eq!(mapped.len(), 1);

    // A section that is not the one of the skeleton is refused.
    skel.object.resize(".data.odd", 16);
    let error = skel.data_odd.get().err().unwrap().to_string();
    assert!(
        error.contains(".data.odd") && error.contains("16 bytes") && error.contains('9'),
        "{error}"
    );
}
