package import SalvorDigest
package import SystemPackage

/// A kernel and an initramfs that were made together and belong together.
package struct RescueImage: Sendable, Hashable {
    package let kernel: FilePath
    package let initramfs: FilePath
    /// Names the image: SHA-256 over the recipe, the packages' digests and the agent's.
    package let digest: Digest
    package let kernelSizeBytes: Int
    package let initramfsSizeBytes: Int
    package let initramfsSHA256: Digest
    /// What `uname -r` says inside.
    package let kernelRelease: String
    /// What it was made from.
    package let packages: [DebianPackage]
}

/// How far a build has come.
package enum ImageProgress: Sendable, Hashable {
    case resolvingPackages
    case downloading(DebianPackage)
    case unpacking(count: Int)
    case assembling
    case makingDisk
    /// The same inputs were built before.
    case alreadyBuilt
}

extension ImageProgress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .resolvingPackages: "asking apt for the newest packages"
        case .downloading(let package): "downloading \(package.name) \(package.version)"
        case .unpacking(let count): "unpacking \(count) packages"
        case .assembling: "assembling kernel and initramfs"
        case .makingDisk: "making a disk of kernel and initramfs"
        case .alreadyBuilt: "nothing has changed since the last build"
        }
    }
}
