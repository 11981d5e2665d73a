enum SalvorCoordinatorCorePlaceholder {}
