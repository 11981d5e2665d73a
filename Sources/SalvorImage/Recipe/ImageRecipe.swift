package import SalvorDigest
package import SystemPackage

/// What an image is made of: a folder with `packages.txt`, `modules.txt`, `files.txt` and the files that the last of
/// these takes from the folder itself.
///
/// The rescue image's recipe is the folder `Agent/image` of a checkout.
package struct ImageRecipe: Sendable {
    package struct Package: Hashable, Sendable {
        package var name: String
        /// Take what it depends on first in its stead.
        package var isMeta: Bool
    }

    package enum Item: Hashable, Sendable {
        /// A file of a package, with the libraries that it needs.
        case file(String)
        /// A file of the recipe folder.
        case local(bytes: [UInt8], path: String, permissions: UInt32)
        case agent(path: String)
        case directory(path: String, permissions: UInt32)
        case link(path: String, target: String)
        /// Links in `/usr/bin` to busybox.
        case applets([String])
    }

    package let directory: FilePath
    package let packages: [Package]
    package let modules: [String]
    package let items: [Item]
    /// SHA-256 over everything in the recipe that the image's bytes follow from.
    package let digest: Digest

    package var needsAgent: Bool {
        items.contains { if case .agent = $0 { true } else { false } }
    }

    /// Reads a recipe folder.
    package init(directory: FilePath) throws(ImageError) {
        guard Posix.isDirectory(directory) else {
            throw ImageError(
                .recipeInvalid, "there is no image recipe in \(directory)",
                nextStep: "Name the folder Agent/image of a Salvor checkout or installation")
        }
        self.directory = directory
        var hashed: [UInt8] = []
        func lines(of name: String) throws(ImageError) -> [(number: Int, words: [String])] {
            let bytes = try Posix.read(directory.appending(name))
            hashed += Array("\(name) \(bytes.count)\n".utf8) + bytes
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated().compactMap { index, line in
                    let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
                    return words.isEmpty ? nil : (index + 1, words)
                }
        }

        packages = try lines(of: "packages.txt").map { line throws(ImageError) in
            let word = line.words[0]
            let name = word.hasPrefix("@") ? String(word.dropFirst()) : word
            guard line.words.count == 1, Self.isPackageName(name) else {
                throw Self.mistake(directory, "packages.txt", line.number, "the name of a Debian package, or @ and one")
            }
            return Package(name: name, isMeta: word.hasPrefix("@"))
        }
        modules = try lines(of: "modules.txt").map { line throws(ImageError) in
            guard line.words.count == 1 else {
                throw Self.mistake(directory, "modules.txt", line.number, "the name of one kernel module")
            }
            return line.words[0]
        }
        var items: [Item] = []
        for line in try lines(of: "files.txt") {
            let item = try Self.item(line.words, line.number, directory)
            if case .local(let bytes, _, _) = item {
                hashed += Array("\(line.words[1]) \(bytes.count)\n".utf8) + bytes
            }
            items.append(item)
        }
        self.items = items
        digest = SHA256.digest(of: hashed)
    }

    private static func item(
        _ words: [String], _ number: Int, _ directory: FilePath
    ) throws(ImageError) -> Item {
        let isPath = { (word: String) in word.hasPrefix("/") && !word.split(separator: "/").contains("..") }
        switch (words[0], words.count) {
        case ("file", 2) where isPath(words[1]):
            return .file(words[1])
        case ("agent", 2) where isPath(words[1]):
            return .agent(path: words[1])
        case ("link", 3) where isPath(words[1]):
            return .link(path: words[1], target: words[2])
        case ("applets", 2...):
            return .applets(Array(words.dropFirst()))
        case ("directory", 3) where isPath(words[1]):
            guard let permissions = UInt32(words[2], radix: 8), permissions <= 0o7777 else { break }
            return .directory(path: words[1], permissions: permissions)
        case ("local", 4) where isPath(words[2]) && !words[1].contains("/"):
            guard let permissions = UInt32(words[3], radix: 8), permissions <= 0o7777 else { break }
            return .local(
                bytes: try Posix.read(directory.appending(words[1])), path: words[2], permissions: permissions)
        default: break
        }
        throw mistake(
            directory, "files.txt", number,
            "file PATH, local NAME PATH MODE, agent PATH, directory PATH MODE, link PATH TARGET or applets NAME…")
    }

    /// Debian Policy 5.6.1.
    private static func isPackageName(_ name: String) -> Bool {
        name.utf8.count >= 2 && !"+-.".utf8.contains(name.utf8.first ?? 0)
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || "+-.".utf8.contains($0)
            }
    }

    private static func mistake(_ directory: FilePath, _ file: String, _ line: Int, _ expected: String) -> ImageError {
        ImageError(
            .recipeInvalid, "\(directory.appending(file)), line \(line), cannot be followed",
            nextStep: "It should say: \(expected)")
    }
}
