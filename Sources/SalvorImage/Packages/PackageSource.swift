internal import SalvorDigest
package import SystemPackage

/// Debian packages from the machine's own apt sources, kept in a folder.
///
/// apt checks the archive's signature when its lists are renewed; here each package is checked against the SHA-256 in
/// those lists, when it is downloaded and again whenever it is taken from the folder.
package struct PackageSource: Sendable {
    /// Where packages and resolutions are kept.
    private let directory: FilePath
    private let tools: ToolRunner
    private let aptLists: FilePath

    package init(directory: FilePath, tools: ToolRunner, aptLists: FilePath = "/var/lib/apt/lists") {
        self.directory = directory
        self.tools = tools
        self.aptLists = aptLists
    }

    /// The newest version of each package that apt would install, in the recipe's order.
    ///
    /// Asking apt takes over a second, so that the answer is kept for as long as apt's lists stay as they are.
    package func resolve(_ wanted: [ImageRecipe.Package]) async throws(ImageError) -> [DebianPackage] {
        let key = try resolutionKey(wanted)
        let kept = directory.appending("resolution-\(key.prefix(32))")
        if let bytes = try? Posix.read(kept) {
            let packages = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap(DebianPackage.init)
            if packages.count == wanted.count { return packages }
        }
        let first = try await records(of: wanted.map(\.name))
        var names: [String] = []
        for package in wanted {
            guard package.isMeta else {
                names.append(package.name)
                continue
            }
            guard let concrete = first.firstDependency(of: package.name) else { throw Self.notFound(package.name) }
            names.append(concrete)
        }
        let second = try await records(of: zip(wanted, names).filter(\.0.isMeta).map(\.1))
        var packages: [DebianPackage] = []
        for name in names {
            guard let package = first.package(name) ?? second.package(name) else { throw Self.notFound(name) }
            packages.append(package)
        }
        try replace(kept, with: packages.map { $0.line + "\n" }.joined())
        return packages
    }

    /// Downloads what is not there yet.
    /// - Returns: the package files, in the order of `packages`.
    package func fetch(
        _ packages: [DebianPackage], downloading: @Sendable (DebianPackage) -> Void
    ) async throws(ImageError) -> [FilePath] {
        var files: [FilePath] = []
        for package in packages {
            let file = directory.appending(package.fileName)
            if !isWhole(file, package) {
                downloading(package)
                try await download(package, to: file)
            }
            files.append(file)
        }
        return files
    }

    private func isWhole(_ file: FilePath, _ package: DebianPackage) -> Bool {
        (try? SHA256.digest(ofFile: file.string)) == package.sha256
    }

    private func download(_ package: DebianPackage, to file: FilePath) async throws(ImageError) {
        let folder = try Posix.makeTemporaryDirectory(in: directory, prefix: ".download-")
        defer { Posix.removeTree(folder) }
        // As root, apt would hand the download to a user of its own who may not write here.
        let result = try await tools.result(
            "apt-get",
            [
                "-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2", "download",
                "\(package.name)=\(package.version)",
            ], in: folder)
        let downloaded = folder.appending(package.fileName)
        guard result.status == 0, Posix.kind(downloaded) == .file else {
            if result.errors.contains("No space left on device") {
                throw ToolRunner.failure(of: "apt-get", ["download"], result)
            }
            let reason = result.errors.split(separator: "\n").last.map { ": \($0)" } ?? ""
            throw ImageError(
                .packageUnavailable,
                "the Debian package \(package.name) \(package.version) is not in \(directory) and cannot be downloaded\(reason)",
                nextStep: "Connect to the network, run apt-get update and try again")
        }
        guard isWhole(downloaded, package) else {
            throw ImageError(
                .packageDamaged, "the download of \(package.name) \(package.version) is not what apt's lists promise",
                nextStep: "Run apt-get update and try again; if it stays so, do not trust that mirror")
        }
        try Posix.rename(downloaded, to: file)
    }

    private func records(of names: [String]) async throws(ImageError) -> PackageRecords {
        if names.isEmpty { return PackageRecords("") }
        // Its status says only that some name is unknown; the caller says which.
        let result = try await tools.result("apt-cache", ["show", "--no-all-versions"] + names)
        return PackageRecords(result.text)
    }

    private func resolutionKey(_ wanted: [ImageRecipe.Package]) throws(ImageError) -> String {
        var hash = SHA256()
        for package in wanted { hash.update(Array("\(package.isMeta ? "@" : "")\(package.name)\n".utf8)) }
        for name in (try? Posix.names(in: aptLists)) ?? [] {
            guard let (bytes, time) = Posix.sizeAndModification(aptLists.appending(name)) else { continue }
            hash.update(Array("\(name) \(bytes) \(time)\n".utf8))
        }
        return hash.finalize().hex
    }

    private func replace(_ file: FilePath, with text: String) throws(ImageError) {
        let folder = try Posix.makeTemporaryDirectory(in: directory, prefix: ".write-")
        defer { Posix.removeTree(folder) }
        try Posix.write(Array(text.utf8), to: folder.appending("file"))
        try Posix.rename(folder.appending("file"), to: file)
    }

    private static func notFound(_ name: String) -> ImageError {
        ImageError(
            .packageNotFound, "apt knows no package \(name)",
            nextStep: "Run apt-get update; if it stays so, correct packages.txt in the image recipe")
    }
}
