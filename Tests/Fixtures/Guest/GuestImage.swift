import SalvorImage
import SystemPackage

/// Kernel and initramfs of a guest, from the cache, or built from Debian's packages where they are not there.
enum GuestImage {
    static func make(
        recipe directory: FilePath, cacheDirectory: FilePath, tools: ToolRunner = ToolRunner(),
        progress: @escaping @Sendable (ImageProgress) -> Void
    ) async throws -> RescueImage {
        let builder = ImageBuilder(
            recipe: try ImageRecipe(directory: directory), cacheDirectory: cacheDirectory, tools: tools)
        if let image = try await builder.cached(agent: nil) { return image }
        return try await builder.build(agent: nil, progress: progress)
    }

    /// The folder of a recipe, beside those of the code.
    static func recipe(_ name: String) -> FilePath {
        FilePath(#filePath).removingLastComponent().removingLastComponent().appending(name)
    }
}
