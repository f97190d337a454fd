# `cmake --install` puts the embeddable library where find_package(Homeostat) finds it.
