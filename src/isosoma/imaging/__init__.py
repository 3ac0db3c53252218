"""From voxels to geometry: surfaces, their volumes, and walls, in metres and RAS."""
