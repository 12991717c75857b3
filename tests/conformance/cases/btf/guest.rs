//! Types of the kernel, of objects and of programs, and bytes that say they are types.

use conformance_guests::{assert_code, assert_fails, raw};
use raw::btf::Btf as RawBtf;
use raw::types::ErrorCode;
use wasm_bpf_guest::ErrorKind;
use wasm_bpf_guest::btf::{
    AnyEnum, Btf, BtfKind, BtfType, Composite, Func, FuncProto, Int, Struct, TypeDetails, TypeId,
};

conformance_guests::guest!();
use case::CaseSkelBuilder;

/// What every kernel has.
fn kernel() {
    let btf = Btf::from_vmlinux().unwrap();
    assert!(btf.len() > 10_000, "{}", btf.len());
    assert_eq!(u32::from(btf.first_id()), 1);
    assert_eq!(btf.ptr_size(), 8);
    let task: Struct = btf.type_by_name("task_struct").unwrap();
    assert!(task.size() > 1000);
    let pid = task.member("pid").unwrap();
    let pid_type: BtfType = btf.type_by_id(pid.type_.into()).unwrap();
    assert_eq!(pid_type.name(), Some("pid_t"));
    assert!(matches!(pid_type.kind(), BtfKind::Typedef));
    assert_eq!(pid_type.resolved_size().unwrap(), 4);
    assert_eq!(pid_type.alignment().unwrap(), 4);
    let int = pid_type.skip_mods_and_typedefs().unwrap();
    assert!(matches!(int.kind(), BtfKind::Int), "{int:?}");
    let int: Int = btf.type_by_id(int.type_id()).unwrap();
    assert!(int.encoding().unwrap().signed);
    let comm = task.member("comm").unwrap();
    let comm: BtfType = btf.type_by_id(comm.type_.into()).unwrap();
    assert_eq!(comm.resolved_size().unwrap(), 16);
    assert_eq!(task.resolved_size().unwrap(), task.size());
    assert!(task.alignment().unwrap() >= 8);
    // The kind decides among types of one name.
    assert!(btf.type_by_name::<Func>("task_struct").is_none());
    assert!(btf.type_by_name::<Composite>("task_struct").is_some());
    assert!(
        btf.type_by_name::<BtfType>("no_such_type_of_any_kernel")
            .is_none()
    );
    let maps: AnyEnum = btf.type_by_name("bpf_map_type").unwrap();
    assert_eq!(maps.value("BPF_MAP_TYPE_HASH"), Some(1));
    let read: Func = btf.type_by_name("vfs_read").unwrap();
    let proto: FuncProto = btf.type_by_id(read.next_type().unwrap().type_id()).unwrap();
    assert_eq!(proto.parameters().len(), 4);
    assert_eq!(proto.parameters()[0].name, "file");
    // Functions have no size, and neither has nothing.
    assert_fails!(read.resolved_size(), ErrorKind::InvalidArgument, "vfs_read");
    assert_fails!(read.alignment(), ErrorKind::InvalidArgument);
    let kernel = RawBtf::kernel().unwrap();
    for id in [kernel.type_count(), u32::MAX] {
        assert!(kernel.describe(id).is_none());
        assert!(kernel.describe_many(id, 10).is_empty());
        assert_code!(kernel.resolve_size(id), ErrorCode::NotFound);
        assert_code!(kernel.resolve_type(id), ErrorCode::NotFound);
        assert_code!(kernel.align_of(id), ErrorCode::NotFound);
    }
    assert!(matches!(
        kernel.describe(0).unwrap().kind,
        raw::btf::TypeKind::Void
    ));
    for name in ["", "task\0struct", "../vmlinux"] {
        assert_eq!(kernel.find(name, None), None);
    }
    assert_eq!(
        kernel.find("task_struct", Some(raw::btf::TypeKind::Other(u32::MAX))),
        None
    );
    // One after the other, each let go before the next.
    for _ in 0..1000 {
        RawBtf::kernel().unwrap();
    }
}

fn walk() {
    let btf = Btf::from_vmlinux().unwrap();
    let mut next = 1;
    for found in btf.types_from(TypeId::from(1)) {
        assert_eq!(u32::from(found.type_id()), next);
        if next % 5000 == 1 {
            let alone: BtfType = btf.type_by_id(found.type_id()).unwrap();
            assert_eq!(alone.name(), found.name());
        }
        next += 1;
    }
    assert_eq!(next as usize, btf.len());
    assert!(btf.type_by_kind::<Func>().count() > 1000);
}

fn raw() {
    let kernel = Btf::from_vmlinux().unwrap();
    let data = kernel.raw_data();
    assert_eq!(data.len(), RawBtf::kernel().unwrap().raw_size() as usize);
    assert_eq!(data[..2], 0xeb9f_u16.to_ne_bytes());
    let own = Btf::from_bytes(&data).unwrap();
    assert_eq!(own.len(), kernel.len());
    let size = |btf: &Btf| btf.type_by_name::<Struct>("task_struct").unwrap().size();
    assert_eq!(size(&own), size(&kernel));
    assert_eq!(own.string_at(0).as_deref(), Some(""));
    assert_eq!(own.string_at(u32::MAX), None);
    let raw = RawBtf::kernel().unwrap();
    assert!(raw.raw_data(u32::MAX, 10).is_empty());
    assert_eq!(raw.raw_data(2, 1), [1]);
    assert!(raw.raw_data(0, u32::MAX).len() <= 1 << 20);
}

fn modules() {
    for name in [
        "",
        ".",
        "..",
        "../vmlinux",
        "/etc/passwd",
        "../../kernel/btf/vmlinux",
        "a\0b",
        "vmlinux",
    ] {
        assert_fails!(Btf::from_module(name), ErrorKind::InvalidArgument);
    }
    assert_fails!(
        Btf::from_module(&"a".repeat(1 << 20)),
        ErrorKind::InvalidArgument
    );
    assert_fails!(
        Btf::from_module("no_such_module"),
        ErrorKind::NotFound,
        "no_such_module"
    );
}

fn objects() {
    let open =
        raw::objects::OpenObject::open(case::DATA, &raw::objects::OpenOptions::new()).unwrap();
    let before = RawBtf::of_open_object(&open).unwrap().unwrap();
    let object = raw::objects::OpenObject::load(open).unwrap();
    let after = RawBtf::of_object(&object).unwrap().unwrap();
    let of_program = RawBtf::of_program(&object.program("on_enter").unwrap())
        .unwrap()
        .unwrap();
    // The object may go: the types stay.
    drop(object);
    for btf in [before, after, of_program] {
        let id = btf
            .find("conformance_value", Some(raw::btf::TypeKind::Struct))
            .unwrap();
        assert_eq!(btf.resolve_size(id).unwrap(), 32);
        assert_eq!(btf.align_of(id).unwrap(), 8);
        let raw::btf::TypeDetails::Members(members) = btf.describe(id).unwrap().details else {
            panic!("no structure")
        };
        assert_eq!(
            (members[1].name.as_str(), members[1].bit_offset),
            ("numbers", 64)
        );
        assert!(btf.find("task_struct", None).is_some());
    }
    let skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    assert!(Btf::from_bpf_object(&skel.object).unwrap().is_some());
    assert!(Btf::from_program(&skel.progs.on_enter).unwrap().is_some());
}

/// BTF of types given as words.
fn bytes(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let size = types.len() as u32 * 4;
    let header = [24, 0, size, size, strings.len() as u32];
    let mut data = vec![];
    data.extend(0xeb9f_u16.to_ne_bytes());
    data.extend([1, 0]);
    data.extend(
        header
            .iter()
            .chain(types)
            .flat_map(|word| word.to_ne_bytes()),
    );
    data.extend(strings);
    data
}

fn hostile() {
    const STRUCT: u32 = 4 << 24;
    const ARRAY: u32 = 3 << 24;
    const TYPEDEF: u32 = 8 << 24;
    for data in [
        vec![],
        vec![0; 64],
        bytes(&[0, STRUCT | 0xffff, 8], b"\0"),
        bytes(&[100, TYPEDEF, 0], b"\0"),
        bytes(&[0, 31 << 24, 0], b"\0"),
        bytes(&[0, TYPEDEF, 0], b"x"),
        bytes(&[0, TYPEDEF], b"\0"),
    ] {
        assert_fails!(Btf::from_bytes(&data), ErrorKind::Malformed);
    }
    assert_fails!(
        Btf::from_bytes(&vec![0; (16 << 20) + 1]),
        ErrorKind::LimitExceeded
    );
    // A typedef of itself, a structure that contains itself, an array of as many integers as do not fit.
    let data = bytes(
        &[
            0,
            TYPEDEF,
            1,
            0,
            STRUCT | 1,
            8,
            0,
            2,
            0,
            1,
            1 << 24,
            4,
            32,
            0,
            ARRAY,
            0,
            3,
            3,
            u32::MAX,
            u32::MAX, // cut off below
        ],
        b"\0int\0",
    );
    assert_fails!(Btf::from_bytes(&data), ErrorKind::Malformed);
    let data = bytes(
        &[
            0,
            TYPEDEF,
            1,
            0,
            STRUCT | 1,
            8,
            0,
            2,
            0,
            1,
            1 << 24,
            4,
            32,
            0,
            ARRAY,
            0,
            3,
            3,
            u32::MAX,
        ],
        b"\0int\0",
    );
    let btf = RawBtf::parse(&data).unwrap();
    assert_eq!(btf.type_count(), 5);
    assert_code!(btf.resolve_size(1), ErrorCode::InvalidArgument);
    assert_code!(btf.resolve_type(1), ErrorCode::InvalidArgument);
    assert_code!(btf.align_of(2), ErrorCode::InvalidArgument);
    assert_code!(btf.resolve_size(4), ErrorCode::Full);
    assert_eq!(btf.find("int", None), Some(3));
    let own = Btf::from_bytes(&data).unwrap();
    let found: BtfType = own.type_by_id(2.into()).unwrap();
    assert!(matches!(&found.info().details, TypeDetails::Members(all) if all[0].type_ == 2));
}

fn limit() {
    let data = bytes(&[0, 8 << 24, 0].repeat(20_000), b"\0");
    let held: Vec<_> = (0..10).map_while(|_| Btf::from_bytes(&data).ok()).collect();
    assert!((1..10).contains(&held.len()), "{}", held.len());
    assert_fails!(
        Btf::from_bytes(&data),
        ErrorKind::LimitExceeded,
        "map-memory"
    );
    drop(held);
    Btf::from_bytes(&data).unwrap();
}

fn relocated() {
    CaseSkelBuilder::new().open().unwrap().load().unwrap();
}
