fetch("/docs/contracts.json")
  .then((answer) => answer.json())
  .then((contracts) => {
    SwaggerUIBundle({
      urls: contracts,
      dom_id: "#swagger-ui",
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      layout: "StandaloneLayout",
      deepLinking: true,
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      validatorUrl: null,
    });
  });
