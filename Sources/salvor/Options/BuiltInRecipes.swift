internal import FoundationEssentials
internal import SalvorCoordinatorCore

/// The recipes that come with `salvor`, by their names.
struct BuiltInRecipes {
    private let folder: URL
    private let fallback: URL

    init(_ installation: Installation) {
        folder = installation.recipes
        fallback = installation.defaultRecipe
    }

    /// - Parameter recipe: a file, or the name of a recipe that comes with salvor; nil for the default.
    func path(of recipe: String?) -> String {
        guard let recipe else { return fallback.path }
        let isName =
            !recipe.isEmpty
            && recipe.utf8.allSatisfy {
                $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
            }
        guard isName, !FileManager.default.fileExists(atPath: recipe) else { return recipe }
        let built = folder.appending(path: "\(recipe).yaml").path
        return FileManager.default.fileExists(atPath: built) ? built : recipe
    }

    func read(_ recipe: String?) throws -> Recipe { try RecipeReader.read(path: path(of: recipe)) }

    func all() throws -> [Recipe] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        return try names.sorted().map { try RecipeReader.read(path: folder.appending(path: $0).path) }
    }
}
