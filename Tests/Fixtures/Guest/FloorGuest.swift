package import SystemPackage

/// The guest that does the least a rescue has to do, for `make bench`.
package enum FloorGuest {
    /// The image recipe, in this checkout.
    package static var recipeDirectory: FilePath {
        GuestImage.recipe("Floor")
    }
}
