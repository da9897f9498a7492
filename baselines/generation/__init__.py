"""Networks that make images: adversarial and diffusion, how their images are judged, and pictures of them."""
