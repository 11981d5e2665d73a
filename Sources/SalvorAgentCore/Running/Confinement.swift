/// How the programs run that read what is on a disk: ntfs-3g above all, which is C, runs as root, and parses whatever a
/// hostile volume holds. They gain no rights, keep of root's the few that mounting takes, make no network connection,
/// have mounts of their own, start no other namespace, touch no other process and load nothing into the kernel.
///
/// `CConfinement` does it, in a program that is linked with it.
enum Confinement {
    /// Followed by a program and its arguments.
    static let argument = "--confined"
    /// The exit code where the program is not there.
    static let notFound: Int32 = 127
}
