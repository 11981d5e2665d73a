internal import CLinux
internal import Glibc

/// How the programs run that read what is on a disk: ntfs-3g above all, which is C, runs as root, and parses whatever a
/// hostile volume holds. They gain no rights, keep of root's the few that mounting takes, make no network connection,
/// have mounts of their own, start no other namespace, touch no other process and load nothing into the kernel.
package enum Confinement {
    /// Followed by a program and its arguments.
    package static let argument = "--confined"
    static let notFound: Int32 = 127
    private static let addressBytes: UInt64 = 4 << 30

    /// Becomes the program. Returns only where it could not: the exit code.
    package static func run(_ command: [String]) -> Int32 {
        guard let program = command.first else { return 64 }
        guard salvor_no_new_privileges() == 0, salvor_own_mounts() == 0, salvor_drop_capabilities() == 0,
            salvor_limit_memory(addressBytes) == 0,
            salvor_filter_system_calls() == 0
        else { return 71 }
        var arguments = command.map { strdup($0) } + [nil]
        execvp(program, &arguments)
        // As a shell says it: not found, or found and not run.
        return errno == ENOENT ? notFound : 126
    }
}
