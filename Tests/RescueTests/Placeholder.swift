enum RescueTestsPlaceholder {}
