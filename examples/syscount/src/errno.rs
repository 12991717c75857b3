//! Names of errors.

/// By number, as all of the architectures that this tool knows have them (include/uapi/asm-generic/errno.h). Those of the
/// machine that runs this code would be others: it is a component, whose errors are WASI's.
#[rustfmt::skip]
const NAMES: [&str; 134] = [
    "", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
    "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV",
    "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC",
    "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK",
    "ENOSYS", "ENOTEMPTY", "ELOOP", "", "ENOMSG", "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST",
    "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO", "EBADRQC",
    "EBADSLT", "", "EBFONT", "ENOSTR", "ENODATA", "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE",
    "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO", "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW",
    "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD", "ELIBSCN", "ELIBMAX", "ELIBEXEC",
    "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
    "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT",
    "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET",
    "ECONNABORTED", "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS",
    "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE",
    "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE",
    "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD",
    "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
];

/// The largest number that a system call can fail with.
const LAST: u32 = 4095;

/// A number or a name.
pub fn parse(text: &str) -> Result<u32, String> {
    let number = match text {
        // EAGAIN's and EDEADLK's other names.
        "EWOULDBLOCK" => Some(11),
        "EDEADLOCK" => Some(35),
        _ => NAMES
            .iter()
            .position(|name| !name.is_empty() && *name == text)
            .map(|number| number as u32)
            .or_else(|| text.parse().ok()),
    };
    number
        .filter(|number| (1..=LAST).contains(number))
        .ok_or_else(|| "neither an errno nor the name of one, such as ENOENT".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_numbers_and_names() {
        assert_eq!(parse("ENOENT"), Ok(2));
        assert_eq!(parse("EDEADLK"), Ok(35));
        assert_eq!(parse("EHWPOISON"), Ok(133));
        assert_eq!(parse("512"), Ok(512));
        for wrong in ["", "0", "4096", "-2", "EFUNNY"] {
            parse(wrong).unwrap_err();
        }
    }
}
