enum SalvorCoordinatorCoreTestsPlaceholder {}
