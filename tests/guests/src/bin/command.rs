//! What the command gives a component.

use std::{env, fs};

use test_guests::{case, no_such_case};

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "surroundings" => {
            let name = env::args().next().unwrap();
            assert_eq!(name, "command.component.wasm");
            assert_eq!(args, ["--help", "-v", "", "ä"]);
            assert_eq!(env::var("GIVEN").unwrap(), "a=b");
            assert!(env::var_os("NOT_SET_ANYWHERE").is_none());
            assert!(env::var_os("PATH").is_none(), "nothing comes in unasked");
            assert_eq!(fs::read_to_string("/given/file").unwrap(), "contents");
            fs::write("/given/written", "by the component").unwrap();
            assert!(fs::read_to_string("/etc/passwd").is_err());
            assert!(fs::read_to_string("/given/../etc/passwd").is_err());
        }
        _ => no_such_case(&case),
    }
}
